"""Tests of `make fuzz`, with many more inputs than the test suite."""
