"""The benchmark; it asserts nothing."""
