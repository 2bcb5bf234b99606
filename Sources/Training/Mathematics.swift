import Glibc

// The functions of the C library that this module uses, in one place: importing it elsewhere would bring its
// thousands of short names along.

func cosine(_ radians: Double) -> Double { cos(radians) }

func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
