//! Scripted providers for tests, demo and load.
