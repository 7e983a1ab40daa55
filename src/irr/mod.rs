//! Mirrors routing registries (IRR): databases of RPSL objects that say which AS may announce which prefix.
//!
//! A source has one home; a mirror takes a full dump of it and then its changes, over NRTM (near real time mirroring)
//! in version 1, 3 or 4. This room does that beside an IRRd, never instead of one.
//!
//! | module | its part |
//! |---|---|
//! | [`source`] | the name of a source, and its serials |
//! | [`rpsl`] | paragraphs, attributes, keys, and the checks that a mirror makes: pure |
//! | [`journal`] | what changes an object, as a journal keeps it |
//! | [`nrtm3`] | the question and the answer of NRTMv1 and v3: pure, and the connection for it |
//! | [`nrtm4`] | the signed files of NRTMv4 (RFC 10063): pure |
//! | [`whois`] | asks an IRRd about ranges, for those who do not mirror a source |
//! | [`dump`] | fetches dumps and serial files |
//! | [`roa`] | VRPs, the list of them that a validator writes, and route origin validation by them: pure |
//! | [`rejects`] | the objects that were left out, by the reason |
//! | [`store`] | keeps a source as compressed blocks and a journal, in Redis or in the process |
//! | [`update`] | one run: decides what to do, fetches, checks, and writes all or nothing |

pub mod dump;
pub mod journal;
pub mod nrtm3;
pub mod nrtm4;
pub mod rejects;
pub mod roa;
pub mod rpsl;
pub mod source;
pub mod store;
pub mod update;
pub mod whois;
