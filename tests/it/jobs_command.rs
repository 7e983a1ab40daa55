//! `rir-sidecar jobs`: what it does with the jobs of persons.

use rir_sandbox::regrws::KEY;
use rir_sidecar::queue::{Delay, Job, JobId, Order, Queue, State, Trigger};

use crate::{
    process::Means,
    queue::bench::settings,
    scene::{Scene, Target, small},
    service::{ask, whole},
};

/// A queue in Redis, and the command for it.
struct Jobs {
    scene: Scene,
    queue: Queue,
    means: Means,
}

impl Jobs {
    async fn new() -> Self {
        let url = std::env::var("RIR_LAB_REDIS_URL")
            .unwrap_or_else(|_| panic!("RIR_LAB_REDIS_URL is not set: tests/run.sh sets it"));
        let (scene, settings) = (Scene::new(Target::sandbox().await, small()).await, settings(&url));
        let means = Means::new(&scene, KEY, &[("QUEUE__URL", &url), ("QUEUE__PREFIX", &settings.prefix)]);
        Self { scene, queue: Queue::open(&settings).await.unwrap(), means }
    }

    /// What the command says, and whether it was done.
    async fn run(&self, arguments: &[&str]) -> (String, bool) {
        let output = self.means.run(&[&["jobs"], arguments].concat()).await;
        let said = [output.stdout, output.stderr].concat();
        (String::from_utf8(said).unwrap(), output.status.success())
    }

    /// A job that was asked for so and cancelled.
    async fn cancelled(&self, user: Option<&str>, trigger: Trigger) -> JobId {
        let id = ask(&self.queue, whole(self.scene.config), user, trigger).await;
        let (said, done) = self.run(&["cancel", id.as_str()]).await;
        assert!(done, "{said}");
        id
    }
}

#[tokio::test]
async fn a_retry_of_somebodys_job_says_whose_it_is_to_be() {
    let jobs = Jobs::new().await;
    let id = jobs.cancelled(Some("Ann"), Trigger::Api).await;
    let (said, done) = jobs.run(&["retry", id.as_str()]).await;
    assert!(!done && said.contains("Ann") && said.contains("--user NAME"), "{said}");
    let record = jobs.queue.find(&id).await.unwrap().unwrap();
    assert_eq!((record.state, record.cancelled_by.as_deref()), (State::Cancelled, Some("command line")));
    let (said, done) = jobs.run(&["retry", id.as_str(), "--user", "Bob"]).await;
    assert!(done, "{said}");
    let record = jobs.queue.find(&id).await.unwrap().unwrap();
    assert_eq!((record.state, record.retried_by.as_deref()), (State::Ready, Some("command line")));
    assert_eq!(record.job.unwrap().asked_by(), Some("Bob"));
    let (said, _) = jobs.run(&["show", id.as_str()]).await;
    assert!(said.contains("asked for  api by Bob") && said.contains("retried  by command line"), "{said}");
}

#[tokio::test]
async fn a_job_that_nobody_asked_for_stays_so() {
    let jobs = Jobs::new().await;
    for (user, trigger) in [(None, Trigger::Schedule), (Some("ann"), Trigger::Webhook)] {
        let id = jobs.cancelled(user, trigger).await;
        let (said, done) = jobs.run(&["retry", id.as_str()]).await;
        assert!(done, "{said}");
        let job = jobs.queue.find(&id).await.unwrap().unwrap().job.unwrap();
        assert_eq!((job.user.as_deref(), job.trigger), (user, trigger));
    }
}

#[tokio::test]
async fn a_job_that_asks_for_everything_says_so() {
    let jobs = Jobs::new().await;
    for (full, kind) in [(true, "sync-config (full)"), (false, "sync-config")] {
        let job = Job { full, ..Job::new(whole(jobs.scene.config), Trigger::Api) };
        let orders = [Order { job, delay: Delay::None }];
        let id = jobs.queue.enqueue(&orders).await.unwrap().remove(0).job;
        let (said, _) = jobs.run(&["list"]).await;
        let line = said.lines().find(|line| line.contains(id.as_str())).unwrap();
        assert_eq!(line.contains("(full)"), full, "{said}");
        let (said, _) = jobs.run(&["show", id.as_str()]).await;
        assert!(said.contains(&format!("job  {kind}\n")), "{said}");
        let (said, _) = jobs.run(&["show", id.as_str(), "--output", "json"]).await;
        assert!(said.contains(&format!("\"full\": {full}")), "{said}");
    }
}
