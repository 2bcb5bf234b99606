import Glibc

// The functions of the C library that this module uses, in one place: importing it elsewhere would bring its
// thousands of short names along.

func exponential(_ value: Double) -> Double { exp(value) }

func cosine(_ radians: Double) -> Double { cos(radians) }

func sine(_ radians: Double) -> Double { sin(radians) }

func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
