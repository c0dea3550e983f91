//! A host without an operating system, for tests of what is above it.
