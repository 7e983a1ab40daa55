//! The calls under `/api/v1`, for people and programs with a NetBox token.

mod approval;
pub(super) mod configs;
pub(super) mod finding_views;
pub(super) mod findings;
pub(super) mod idempotency;
pub(super) mod irr;
pub(super) mod irr_views;
pub(super) mod job_access;
pub(super) mod job_events;
pub(super) mod jobs;
pub(super) mod logs;
mod pages;
pub(super) mod plans;
pub(super) mod request_views;
pub(super) mod requests;
pub(super) mod routing;
pub(super) mod routing_views;
pub(super) mod syncs;
pub(super) mod views;
