//! What one sync is about.
