//! The TLS provider. Leaf: anyone who makes an HTTP client or opens a Redis may use it.

/// Chooses the provider for the whole process, as rustls asks for it there. An earlier choice of somebody else is as
/// good.
pub(crate) fn choose_provider() {
    drop(rustls::crypto::ring::default_provider().install_default());
}
