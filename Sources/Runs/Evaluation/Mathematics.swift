import Glibc

// The functions of the C library that evaluation uses, in one place: importing it elsewhere would bring its
// thousands of short names along.

func exponential(_ value: Double) -> Double { exp(value) }

func logarithm(_ value: Double) -> Double { log(value) }
