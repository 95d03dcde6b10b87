"""Measures as data: definitions, value sets, the compiler to SQL."""
