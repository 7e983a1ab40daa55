//! One exchange with NetBox.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Error;
use crate::config;

#[derive(Debug)]
pub(super) struct Transport {
    sent: AtomicU64,
}

impl Transport {
    pub(super) fn new(_settings: &config::Netbox) -> Result<Self, Error> {
        Ok(Self { sent: AtomicU64::new(0) })
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}
