//! What a caller may do with a job.
//!
//! A caller sees the jobs of the RIR configs they may view, and cancels or retries those of configs they may change. A
//! job that names no config may turn out to concern any of them, so that it takes the permission for all there are. So does
//! the mirror of a routing registry, which belongs to no config and serves all of them.
//!
//! A job that somebody asked for uses their API key and bears their name. So whoever retries a job that they did not ask
//! for themselves needs a key of their own for it, and it becomes their job. A job about a mirror uses none.

use std::collections::BTreeSet;

use tokio::sync::OnceCell;

use super::views::Skipped;
use crate::{
    http::{
        app::App,
        auth::users::User,
        problem::{Kind, Problem},
    },
    model::RowId,
    queue::{JobId, Record, Work},
};

/// What a caller needs a permission for who wants something of a mirror.
const ALL_SERVED: &str = "all RIR configs, which each mirror serves,";

/// A caller who wants something of jobs, or of mirrors.
pub(crate) struct JobAccess<'a> {
    app: &'a App,
    user: &'a User,
    /// All configs there are, once they were needed.
    all: OnceCell<BTreeSet<RowId>>,
}

impl<'a> JobAccess<'a> {
    /// Makes the access of a caller, for one request.
    pub(crate) fn of(app: &'a App, user: &'a User) -> Self {
        Self { app, user, all: OnceCell::new() }
    }

    /// Returns the job, if the caller may view it.
    pub(crate) async fn visible(&self, id: &JobId) -> Result<Record, Problem> {
        let missing = || Problem::not_found("job", id);
        let record = self.app.services.queue.find(id).await?.ok_or_else(missing)?;
        if self.may_view(&record).await? { Ok(record) } else { Err(missing()) }
    }

    /// Returns the job, if the caller may cancel it.
    pub(crate) async fn changeable(&self, id: &JobId) -> Result<Record, Problem> {
        let record = self.visible(id).await?;
        for config in self.concerned(&record).await? {
            if !self.user.may_change(config).await? {
                return Err(self.not_permitted(&record));
            }
        }
        Ok(record)
    }

    /// Returns the job, if the caller may retry it as their own.
    pub(crate) async fn retriable(&self, id: &JobId) -> Result<Record, Problem> {
        let record = self.changeable(id).await?;
        let Some(job) = &record.job else { return Err(not_understood()) };
        if job.asked_by() == Some(&self.user.name) {
            return Ok(record);
        }
        if !job.work.needs_key() {
            return Ok(record);
        }
        let concerned = self.concerned(&record).await?;
        let configs = self.user.configs().await?.into_iter().map(|row| row.config);
        let mut theirs = configs.filter(|config| concerned.contains(&config.id));
        match theirs.find(|config| !self.app.has_key(&config.name, &self.user.name)) {
            Some(keyless) => Err(Skipped::NoApiKey.problem(&keyless, self.user)),
            None => Ok(record),
        }
    }

    /// Returns whether the caller may view a job.
    pub(crate) async fn may_view(&self, record: &Record) -> Result<bool, Problem> {
        let (concerned, visible) = (self.concerned(record).await?, self.user.visible().await?);
        Ok(!concerned.is_empty() && concerned.is_subset(&visible))
    }

    /// Checks that the caller may view the mirrors of routing registries.
    pub(crate) async fn view_mirrors(&self) -> Result<(), Problem> {
        let (all, visible) = (self.all().await?, self.user.visible().await?);
        if !all.is_empty() && all.is_subset(&visible) { Ok(()) } else { Err(self.needs("view", ALL_SERVED)) }
    }

    /// Checks that the caller may have the mirrors of routing registries updated.
    pub(crate) async fn change_mirrors(&self) -> Result<(), Problem> {
        self.view_mirrors().await?;
        for config in self.all().await? {
            if !self.user.may_change(*config).await? {
                return Err(self.needs("change", ALL_SERVED));
            }
        }
        Ok(())
    }

    /// Returns the configs that a job concerns.
    async fn concerned(&self, record: &Record) -> Result<BTreeSet<RowId>, Problem> {
        match config_of(record) {
            Some(config) => Ok(BTreeSet::from([config])),
            None => self.all().await.cloned(),
        }
    }

    async fn all(&self) -> Result<&BTreeSet<RowId>, Problem> {
        self.all.get_or_try_init(|| self.all_configs()).await
    }

    async fn all_configs(&self) -> Result<BTreeSet<RowId>, Problem> {
        Ok(self.app.services.netbox.configs().await?.iter().map(|config| config.id).collect())
    }

    fn not_permitted(&self, record: &Record) -> Problem {
        let is_of_mirror = record.job.as_ref().is_some_and(|job| job.work.source().is_some());
        let what = match config_of(record) {
            Some(_) => "the job's RIR config",
            None if is_of_mirror => ALL_SERVED,
            None => "all RIR configs, of which the job may concern any,",
        };
        self.needs("change", what)
    }

    fn needs(&self, permission: &str, what: &str) -> Problem {
        let detail = format!("{} needs the permission to {permission} {what} in NetBox", self.user.name);
        Problem::new(Kind::NotPermitted, detail)
    }
}

fn config_of(record: &Record) -> Option<RowId> {
    record.job.as_ref().map(|job| &job.work).and_then(Work::config)
}

fn not_understood() -> Problem {
    let detail = "this version of the service does not understand the job, and so cannot make it yours; \
                  `rir-sidecar jobs retry ID` retries it as it is";
    Problem::new(Kind::JobState, detail)
}
