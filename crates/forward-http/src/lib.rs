//! The one way out to a provider.
