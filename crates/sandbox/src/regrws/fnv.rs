//! Chance that is the same each time.

/// The 64-bit FNV-1a hash: the same on every machine and in every version, which the standard library's is not.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
