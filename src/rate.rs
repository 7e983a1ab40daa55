//! The rate at which requests may go to one registry instance: a value that learns from the answers what the server
//! allows.
//!
//! A [`Rate`] takes one [`Step`] after the other and answers each. It reads no clock and waits for nothing, so that a
//! process can keep it for itself or all replicas can keep it together. `now` is the time since any moment that all who
//! share it agree on.
//!
//! - **Before the first 429** only the settings hold requests back: so many a second, in bursts of so many.
//! - **A 429** halves the rate. What is halved is the rate at which the server has taken requests lately, if that is
//!   known and lower than the rate in force. Nothing goes for as long as the answer asks, or for a second that doubles
//!   with each 429 in a row. All requests under way then are of one signal: their 429s halve nothing again.
//! - **After a pause** one request goes ahead. If it is taken the others follow, one by one, at the halved rate; if not,
//!   the next pause begins.
//! - **While none comes** the rate rises: fast up to nine tenths of what the server took, slowly past it, and faster
//!   again beyond, as it seems to take more. Only time in which requests wait for the rate counts. It rises to the setting
//!   at the most; without one nothing is held back any more from [`ENOUGH`] on.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The lowest rate, in requests a second: one in five seconds.
pub const FLOOR: f64 = 0.2;
/// The rate, in requests a second, from which on nothing is held back where the settings name none.
pub const ENOUGH: f64 = 1000.0;
/// The longest pause made for a `Retry-After`. Whoever still gets a 429 after it pauses again.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A `Retry-After` beyond this is no statement about a rate limit.
const ABSURD: Duration = Duration::from_secs(3600);
/// The first pause after a 429 that names no time, and the longest, in seconds.
const UNNAMED_PAUSES: (f64, f64) = (1.0, 15.0);
/// The time that the request ahead of all others has for its answer, in seconds; then the next one goes.
const AHEAD: f64 = 5.0;
/// The time after which somebody asks again whether the request ahead was taken, in seconds.
const ASK_AGAIN: f64 = 0.1;
/// So early, in seconds, may a request go at a learnt rate, so that a timer that rings late costs nothing.
const EARLY: f64 = 0.025;
/// From so many requests taken on their rate is a measurement.
const MEASURABLE: u32 = 5;
/// A gap in which nobody asked, in seconds, after which the measurement begins anew.
const IDLE: f64 = 1.0;

/// The limits by the settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Requests a second; `None` for any number.
    pub per_second: Option<f64>,
    /// Requests that may go at once after a quiet time, as long as there was no 429.
    pub burst: u32,
}

/// A request that may go, or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ticket {
    /// The number of times that the rate had been lowered.
    pub lowered: u64,
    /// True for a request that goes ahead of all others after a pause, so that its answer is waited for.
    pub ahead: bool,
}

/// An event in the life of a rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// A request asks whether it may go.
    Ask {
        /// True if it was told to wait before.
        waited: bool,
    },
    /// A request was answered, by something else than 429.
    Taken(Ticket),
    /// A request was answered by 429, which asks to wait so long.
    Refused(Ticket, Option<Duration>),
    /// Somebody wants to know the rate.
    Look,
}

/// A step, told by a process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    /// The event.
    pub step: Step,
    /// The limits by the settings of the process.
    pub limits: Limits,
    /// Requests of the process that were answered by something else than 429 since its last step.
    pub taken: u32,
}

/// The answer to a [`Step`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// Whether a request may go.
    pub turn: Turn,
    /// Requests a second that may go now; `None` for any number.
    pub per_second: Option<f64>,
    /// The time for which the server has taken nothing, while it answers 429 to everything.
    pub refusing_for: Option<Duration>,
}

/// Whether a request may go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Turn {
    /// It may.
    Go(Ticket),
    /// It may not before so much time has passed, and should ask again then.
    Wait(Duration),
}

/// The state, which is fresh by default. Times are seconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Rate {
    /// The number of times that it was lowered.
    lowered: u64,
    /// What was learnt from 429s, until it is forgotten.
    learnt: Option<Learnt>,
    /// When the next request would be due if all came evenly.
    even: f64,
    paused_until: f64,
    last_sent: f64,
    last_taken: f64,
    measured: Measurement,
}

/// What 429s have taught.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Learnt {
    per_second: f64,
    /// The rate at which the server took requests before the last 429, if that could be measured.
    took: Option<f64>,
    /// The 429s since something was taken.
    in_a_row: u32,
    /// The rate to go on with when something is taken again.
    resume: f64,
    /// While nothing goes but one request ahead: until when its answer is waited for; 0 before it goes.
    ahead_until: Option<f64>,
    /// When the pause began, when it was over, and the requests that were taken since it began.
    paused: f64,
    resumed: f64,
    taken: u32,
}

/// The requests that were taken as long as there was no 429: in the second at hand, and in the best one so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Measurement {
    begun: f64,
    taken: u32,
    most: u32,
}

impl Rate {
    /// Takes a step.
    pub fn step(&mut self, now: Duration, report: Report) -> Answer {
        let (now, Report { step, limits, taken }) = (now.as_secs_f64(), report);
        if taken > 0 {
            self.last_taken = now;
            let counted = self.learnt.as_mut().map_or(&mut self.measured.taken, |learnt| &mut learnt.taken);
            *counted = counted.saturating_add(taken);
        }
        let turn = match step {
            Step::Ask { waited } => self.ask(now, waited, limits),
            Step::Taken(ticket) => self.taken(now, ticket),
            Step::Refused(ticket, asked) => self.refused(now, ticket, asked, limits),
            Step::Look => Turn::Wait(Duration::ZERO),
        };
        let refusing = self.learnt.as_ref().is_some_and(|learnt| learnt.in_a_row > 0);
        Answer {
            turn,
            per_second: self.in_force(limits),
            refusing_for: refusing.then(|| seconds(now - self.last_taken)),
        }
    }

    fn in_force(&self, limits: Limits) -> Option<f64> {
        let learnt = self.learnt.as_ref().map(|learnt| learnt.per_second);
        learnt.into_iter().chain(limits.per_second).reduce(f64::min)
    }

    fn ask(&mut self, now: f64, waited: bool, limits: Limits) -> Turn {
        if let Some(wait) = self.held_back(now, limits) {
            return Turn::Wait(seconds(wait));
        }
        self.measure(now);
        self.rise(now, waited, limits);
        let apart = self.in_force(limits).map_or(0.0, |per_second| 1.0 / per_second);
        self.even = self.even.max(now) + apart;
        self.last_sent = now;
        let ahead = self.learnt.as_mut().and_then(|learnt| learnt.ahead_until.as_mut());
        let ticket = Ticket { lowered: self.lowered, ahead: ahead.is_some() };
        if let Some(until) = ahead {
            *until = now + AHEAD;
        }
        Turn::Go(ticket)
    }

    /// Returns how long no request may go, if any.
    fn held_back(&self, now: f64, limits: Limits) -> Option<f64> {
        if now < self.paused_until {
            return Some(self.paused_until - now);
        }
        let learnt = self.learnt.as_ref();
        if let Some(until) = learnt.and_then(|learnt| learnt.ahead_until).filter(|until| now < *until) {
            return Some(ASK_AGAIN.min(until - now));
        }
        let apart = 1.0 / self.in_force(limits)?;
        let early = if learnt.is_some() { EARLY } else { apart * f64::from(limits.burst.saturating_sub(1)) };
        let wait = self.even - early - now;
        (wait > 1e-6).then_some(wait)
    }

    /// Goes on with the measurement when a request goes: with the next second, or anew after a time in which nobody asked.
    fn measure(&mut self, now: f64) {
        let Measurement { begun, taken, most } = self.measured;
        if now - self.even.max(self.paused_until).max(self.last_sent) > IDLE {
            self.measured = Measurement { begun: now, ..Measurement::default() };
        } else if now - begun >= 1.0 {
            self.measured = Measurement { begun: now, taken: 0, most: most.max(taken) };
        }
    }

    /// Raises the rate when a request goes, if requests wait for it. One that comes just when it is due would have waited.
    fn rise(&mut self, now: f64, waited: bool, limits: Limits) {
        let Some(learnt) = self.learnt.as_mut().filter(|learnt| learnt.ahead_until.is_none()) else { return };
        if !waited && now > self.even + 1.0 / learnt.per_second {
            return;
        }
        learnt.rise((now - self.last_sent).clamp(0.0, 5.0));
        match limits.per_second {
            Some(setting) => learnt.per_second = learnt.per_second.min(setting),
            None if learnt.per_second >= ENOUGH => self.learnt = None,
            None => {}
        }
    }

    fn taken(&mut self, now: f64, ticket: Ticket) -> Turn {
        let current = ticket.ahead && ticket.lowered == self.lowered;
        if let Some(learnt) = self.learnt.as_mut().filter(|_| current) {
            learnt.ahead_until = None;
            learnt.resumed = now;
            learnt.in_a_row = 0;
            learnt.per_second = learnt.per_second.max(learnt.resume);
            self.even = self.even.min(self.last_sent + 1.0 / learnt.per_second);
        }
        Turn::Wait(Duration::ZERO)
    }

    fn refused(&mut self, now: f64, ticket: Ticket, asked: Option<Duration>, limits: Limits) -> Turn {
        let asked = asked.filter(|asked| *asked <= ABSURD).map(|asked| asked.min(LONGEST_PAUSE).as_secs_f64());
        if ticket.lowered < self.lowered {
            self.paused_until = self.paused_until.max(now + asked.unwrap_or_default());
        } else {
            let learnt = self.lower(now, limits);
            let pause = asked.unwrap_or_else(|| learnt.unnamed_pause());
            let spaced = self.last_sent + 1.0 / learnt.per_second;
            self.learnt = Some(learnt);
            self.lowered += 1;
            self.paused_until = self.paused_until.max(now + pause);
            self.even = spaced;
        }
        Turn::Wait(seconds(self.paused_until - now))
    }

    /// Returns what a 429 teaches.
    fn lower(&self, now: f64, limits: Limits) -> Learnt {
        let before = self.learnt.clone().unwrap_or_default();
        if before.in_a_row > 0 {
            let per_second = (before.per_second / 2.0).max(FLOOR);
            return Learnt { per_second, in_a_row: before.in_a_row + 1, ahead_until: Some(0.0), ..before };
        }
        let (base, took) = match &self.learnt {
            Some(learnt) => learnt.lesson(now),
            None => self.measured.lesson(limits),
        };
        let per_second = (base / 2.0).max(FLOOR);
        Learnt {
            per_second,
            took,
            in_a_row: 1,
            resume: per_second,
            ahead_until: Some(0.0),
            paused: now,
            resumed: now,
            taken: 0,
        }
    }
}

impl Learnt {
    /// Returns the rate to halve after one more 429, and the rate at which the server took requests: about the one in
    /// force, as it was tried out. If most of the time was a pause, the server counts over a longer time than the requests
    /// took, so that the mean says more; but not less than a quarter.
    fn lesson(&self, now: f64) -> (f64, Option<f64>) {
        let (in_force, passed) = (self.per_second, now - self.paused);
        if self.resumed - self.paused <= passed / 2.0 {
            return (in_force, Some(0.95 * in_force));
        }
        let mean = (f64::from(self.taken) / passed).clamp(in_force / 4.0, in_force);
        (mean, Some(mean))
    }

    /// Raises the rate after so many seconds in which requests waited for it, for one request. So each step is small
    /// both in time and in requests, whether the server takes a hundred a second or one in five.
    fn rise(&mut self, waited: f64) {
        let (a_second, at_most) = match self.took {
            Some(took) if self.per_second < 0.9 * took => (1.0, 0.1),
            Some(took) if self.per_second < 1.1 * took => (0.01, 0.005),
            Some(_) | None => (0.25, 0.1),
        };
        self.per_second *= 1.0 + (a_second * waited).min(at_most);
    }

    fn unnamed_pause(&self) -> f64 {
        let (first, longest) = UNNAMED_PAUSES;
        let doublings = i32::try_from(self.in_a_row.saturating_sub(1)).unwrap_or(i32::MAX).min(30);
        (first * 2_f64.powi(doublings)).min(longest)
    }
}

impl Measurement {
    /// Returns the rate to halve after the first 429, and the rate at which the server took requests, if they were enough
    /// to tell.
    fn lesson(&self, limits: Limits) -> (f64, Option<f64>) {
        let taken = self.taken.max(self.most);
        let measured = f64::from(taken.max(1));
        let base = limits.per_second.map_or(measured, |setting| setting.min(measured));
        match (taken, limits.per_second) {
            (0, Some(setting)) => (setting, None),
            (MEASURABLE.., _) => (base, Some(base)),
            _ => (base, None),
        }
    }
}

/// Returns a time as a duration; what is negative is none.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A rate, the time, and the settings.
    struct Trial {
        rate: Rate,
        now: f64,
        limits: Limits,
        /// So much later than it should does every timer ring.
        late: f64,
    }

    impl Trial {
        fn new(per_second: u32) -> Self {
            let per_second = (per_second > 0).then_some(f64::from(per_second));
            Self { rate: Rate::default(), now: 1000.0, limits: Limits { per_second, burst: 1 }, late: 0.0 }
        }

        fn step(&mut self, step: Step, taken: u32) -> Answer {
            self.rate.step(seconds(self.now), Report { step, limits: self.limits, taken })
        }

        fn ask(&mut self) -> Turn {
            self.step(Step::Ask { waited: false }, 0).turn
        }

        /// Waits until a request may go.
        fn go(&mut self) -> Ticket {
            let mut waited = false;
            loop {
                match self.step(Step::Ask { waited }, 0).turn {
                    Turn::Go(ticket) => return ticket,
                    Turn::Wait(wait) => self.now += self.late + wait.as_secs_f64().max(1e-6),
                }
                waited = true;
            }
        }

        /// Sends a request that is taken at once.
        fn take(&mut self) {
            let ticket = self.go();
            self.step(Step::Taken(ticket), 1);
        }

        fn refuse(&mut self, ticket: Ticket, asked: Option<u64>) -> f64 {
            match self.step(Step::Refused(ticket, asked.map(Duration::from_secs)), 0).turn {
                Turn::Wait(pause) => pause.as_secs_f64(),
                Turn::Go(_) => 0.0,
            }
        }

        fn per_second(&mut self) -> Option<f64> {
            self.step(Step::Look, 0).per_second
        }

        /// A rate that was halved to 10 a second, as the server took 20, and goes on after the pause.
        fn halved() -> Self {
            let mut trial = Self::new(0);
            (0..20).for_each(|_| trial.take());
            let ticket = trial.go();
            trial.refuse(ticket, None);
            trial.take();
            trial
        }
    }

    fn ahead(turn: Turn) -> bool {
        matches!(turn, Turn::Go(Ticket { ahead: true, .. }))
    }

    #[test]
    fn a_429_halves_the_setting() {
        let mut trial = Trial::new(10);
        let ticket = trial.go();
        trial.refuse(ticket, None);
        assert_eq!(trial.per_second(), Some(5.0));
    }

    #[test]
    fn a_429_halves_what_the_server_took_if_that_is_less() {
        for setting in [0, 200] {
            let mut trial = Trial::new(setting);
            (0..20).for_each(|_| trial.take());
            let ticket = trial.go();
            trial.refuse(ticket, None);
            assert_eq!(trial.per_second(), Some(10.0), "{setting}");
        }
    }

    #[test]
    fn after_a_quiet_time_a_burst_goes_at_once() {
        let mut trial = Trial::new(10);
        trial.limits.burst = 3;
        let begun = trial.now;
        let times = std::array::from_fn(|_| {
            trial.take();
            ((trial.now - begun) * 1000.0).round()
        });
        assert_eq!(times, [0.0, 0.0, 0.0, 100.0, 200.0, 300.0]);
    }

    #[test]
    fn what_the_server_took_is_measured_by_the_second() {
        let mut trial = Trial::new(0);
        for _ in 0..30 {
            trial.now += 0.125;
            trial.take();
        }
        let ticket = trial.go();
        trial.refuse(ticket, None);
        assert_eq!(trial.per_second(), Some(4.0), "eight a second, for four seconds");
    }

    /// Returns the rate after a 429, when the server took 20 requests and, so many seconds later, 6 more.
    fn halved_after_a_gap(gap: f64) -> Option<f64> {
        let mut trial = Trial::new(0);
        (0..20).for_each(|_| trial.take());
        trial.now += gap;
        (0..6).for_each(|_| trial.take());
        let ticket = trial.go();
        trial.refuse(ticket, None);
        trial.per_second()
    }

    #[test]
    fn a_measurement_begins_anew_after_a_time_in_which_nobody_asked() {
        assert_eq!([IDLE, IDLE + 0.5].map(halved_after_a_gap), [Some(10.0), Some(3.0)]);
    }

    #[test]
    fn all_429s_of_requests_under_way_are_one() {
        let mut trial = Trial::new(0);
        let tickets: Vec<Ticket> = (0..8).map(|_| trial.go()).collect();
        trial.step(Step::Look, 10);
        let pauses: Vec<f64> = tickets.into_iter().map(|ticket| trial.refuse(ticket, None)).collect();
        assert_eq!(pauses, [1.0; 8]);
        assert_eq!((trial.per_second(), trial.rate.lowered), (Some(5.0), 1));
    }

    #[test]
    fn a_429_of_the_same_signal_lengthens_the_pause_and_never_shortens_it() {
        let mut trial = Trial::new(0);
        let tickets: Vec<Ticket> = (0..4).map(|_| trial.go()).collect();
        let asked = [Some(3), Some(7), Some(1), None];
        let pauses: Vec<f64> =
            tickets.into_iter().zip(asked).map(|(ticket, asked)| trial.refuse(ticket, asked)).collect();
        assert_eq!(pauses, [3.0, 7.0, 7.0, 7.0]);
    }

    #[test]
    fn after_a_pause_one_goes_ahead_and_the_others_follow_when_it_is_taken() {
        let mut trial = Trial::new(10);
        let ticket = trial.go();
        trial.refuse(ticket, Some(2));
        assert_eq!(trial.ask(), Turn::Wait(Duration::from_secs(2)));
        trial.now += 2.0;
        let Turn::Go(first) = trial.ask() else { panic!("the pause is over") };
        assert!(first.ahead);
        trial.now += 1.0;
        assert!(matches!(trial.ask(), Turn::Wait(_)), "its answer is waited for");
        trial.step(Step::Taken(first), 1);
        assert!(!trial.go().ahead);
        let begun = trial.now;
        (0..5).for_each(|_| trial.take());
        assert!(trial.now - begun > 0.7, "one by one: {}", trial.now - begun);
    }

    #[test]
    fn when_the_answer_to_the_one_ahead_is_lost_another_goes() {
        let mut trial = Trial::new(10);
        let ticket = trial.go();
        trial.refuse(ticket, None);
        assert!(trial.go().ahead);
        let begun = trial.now;
        let mut ask_after = |seconds: f64| {
            trial.now = begun + seconds;
            trial.ask()
        };
        assert_eq!(ask_after(1.0), Turn::Wait(Duration::from_millis(100)));
        let Turn::Wait(rest) = ask_after(AHEAD - 0.05) else { panic!("it goes too early") };
        assert!((49..=51).contains(&rest.as_millis()), "{rest:?}");
        assert!(ahead(ask_after(AHEAD)));
    }

    #[test]
    fn each_429_in_a_row_is_followed_by_another_request_when_its_pause_is_over() {
        let mut trial = Trial::new(10);
        let ticket = trial.go();
        trial.refuse(ticket, None);
        for pause in [1.0, 2.0, 4.0] {
            let begun = trial.now;
            let ticket = trial.go();
            assert!((trial.now - begun - pause).abs() < 1e-3, "{pause}: {}", trial.now - begun);
            trial.refuse(ticket, None);
        }
    }

    #[test]
    fn when_something_is_taken_again_the_next_goes_at_the_rate_from_before() {
        let mut trial = Trial::new(10);
        for _ in 0..7 {
            let ticket = trial.go();
            trial.refuse(ticket, None);
        }
        assert_eq!(trial.per_second(), Some(FLOOR));
        trial.take();
        let begun = trial.now;
        trial.take();
        assert!((0.17..0.21).contains(&(trial.now - begun)), "five a second: {}", trial.now - begun);
    }

    #[test]
    fn while_everything_is_refused_the_time_counts_since_something_was_taken() {
        let mut trial = Trial::new(10);
        trial.take();
        let ticket = trial.go();
        trial.refuse(ticket, Some(9));
        trial.now += 4.0;
        let refusing = trial.step(Step::Look, 0).refusing_for.unwrap_or_default();
        assert!((4.0..4.2).contains(&refusing.as_secs_f64()), "{refusing:?}");
    }

    #[test]
    fn while_everything_is_refused_pauses_double_and_the_rate_falls_to_one_in_five_seconds() {
        let mut trial = Trial::new(10);
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let ticket = trial.go();
            pauses.push(trial.refuse(ticket, None));
        }
        assert_eq!(pauses, [1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]);
        assert_eq!(trial.per_second(), Some(FLOOR));
        let answer = trial.step(Step::Look, 0);
        assert!(answer.refusing_for.is_some_and(|refusing| refusing >= Duration::from_secs(30)), "{answer:?}");
        trial.take();
        assert_eq!(trial.per_second(), Some(5.0), "it goes on where it was");
        assert_eq!(trial.step(Step::Look, 0).refusing_for, None);
    }

    #[test]
    fn a_wait_that_is_asked_for_again_and_again_is_kept_at_the_rate_in_force() {
        let mut trial = Trial::new(10);
        for _ in 0..8 {
            let ticket = trial.go();
            trial.refuse(ticket, Some(1));
        }
        let begun = trial.now;
        assert!(ahead(Turn::Go(trial.go())));
        assert!(trial.now - begun > 4.9, "one in five seconds: {}", trial.now - begun);
    }

    #[test]
    fn an_absurd_wait_is_none_and_a_long_one_is_shortened() {
        let pause = |asked| {
            let mut trial = Trial::new(10);
            let ticket = trial.go();
            trial.refuse(ticket, Some(asked))
        };
        assert_eq!([60, 1800, 999_999_999, u64::MAX].map(pause), [60.0, 300.0, 1.0, 1.0]);
    }

    #[test]
    fn the_rate_rises_fast_to_what_was_taken_and_slowly_past_it() {
        let mut trial = Trial::halved();
        let mut times = Vec::new();
        for goal in [18.0, 20.0, 22.0, 44.0] {
            let begun = trial.now;
            while trial.per_second().is_some_and(|per_second| per_second < goal) {
                trial.take();
            }
            times.push(trial.now - begun);
        }
        insta::assert_snapshot!(format!("{times:.1?}"), @"[0.7, 6.5, 9.5, 2.8]");
    }

    #[test]
    fn the_rate_rises_to_the_setting_and_stays_there() {
        let mut trial = Trial { limits: Limits { per_second: Some(15.0), burst: 10 }, ..Trial::halved() };
        (0..1000).for_each(|_| trial.take());
        assert_eq!(trial.per_second(), Some(15.0));
    }

    #[test]
    fn without_a_setting_it_rises_until_nothing_is_held_back() {
        let mut trial = Trial::halved();
        (0..20_000).for_each(|_| trial.take());
        assert_eq!(trial.per_second(), None);
    }

    #[test]
    fn the_rate_rises_on_a_machine_whose_timers_ring_late_too() {
        let mut trial = Trial { late: 0.5, ..Trial::halved() };
        (0..20).for_each(|_| trial.take());
        assert!(trial.per_second().is_some_and(|per_second| per_second > 17.0), "{:?}", trial.per_second());
    }

    #[test]
    fn requests_that_come_when_they_are_due_raise_the_rate_without_a_wait() {
        let mut trial = Trial::halved();
        trial.take();
        let before = trial.per_second();
        trial.now = trial.rate.even + 0.5 / before.unwrap_or_default();
        assert!(matches!(trial.ask(), Turn::Go(_)));
        assert!(trial.per_second() > before, "{:?}", trial.per_second());
    }

    #[test]
    fn one_more_429_halves_the_rate_in_force_and_remembers_a_bit_less_than_that() {
        let mut trial = Trial::halved();
        (0..60).for_each(|_| trial.take());
        let in_force = trial.per_second().unwrap_or_default();
        let ticket = trial.go();
        trial.refuse(ticket, None);
        let learnt = trial.rate.learnt.unwrap_or_default();
        assert!(in_force > 15.0 && (learnt.per_second / in_force - 0.5).abs() < 0.01, "{in_force} {learnt:?}");
        assert!(learnt.took.is_some_and(|took| (took / in_force - 0.95).abs() < 0.01), "{in_force} {learnt:?}");
    }

    /// Returns the rate in force when a second 429 came, after a pause of so many seconds and 15 requests that were taken;
    /// then their mean since the pause began, and the rate after it.
    fn halved_after_a_pause(pause: u64) -> (f64, f64, f64) {
        let mut trial = Trial::halved();
        (0..30).for_each(|_| trial.take());
        let ticket = trial.go();
        trial.refuse(ticket, Some(pause));
        let begun = trial.now;
        (0..15).for_each(|_| trial.take());
        let ticket = trial.go();
        let (in_force, mean) = (trial.per_second().unwrap_or_default(), 15.0 / (trial.now - begun));
        trial.refuse(ticket, None);
        (in_force, mean, trial.rate.learnt.unwrap_or_default().per_second)
    }

    #[test]
    fn after_a_time_that_was_mostly_a_pause_the_mean_is_halved_but_no_less_than_a_quarter() {
        let (in_force, mean, halved) = halved_after_a_pause(2);
        assert!(in_force / 4.0 < mean && mean < in_force / 2.0, "{mean} of {in_force}");
        assert!((halved - mean / 2.0).abs() < 1e-6, "{halved} after {mean}");
        let (in_force, mean, halved) = halved_after_a_pause(60);
        assert!(mean < in_force / 4.0, "{mean} of {in_force}");
        assert!((halved / in_force - 1.0 / 8.0).abs() < 0.01, "{halved} after {in_force}");
    }

    #[test]
    fn a_rate_that_nobody_needs_does_not_rise() {
        let mut trial = Trial::halved();
        let before = trial.per_second();
        for _ in 0..100 {
            trial.now += 1.0;
            trial.take();
        }
        assert_eq!(trial.per_second(), before);
    }

    #[test]
    fn a_server_that_counts_over_a_long_time_is_asked_at_its_mean_rate() {
        let mut trial = Trial::halved();
        for _ in 0..3 {
            (0..10).for_each(|_| trial.take());
            let ticket = trial.go();
            trial.refuse(ticket, Some(9));
            trial.take();
        }
        let per_second = trial.per_second().unwrap_or(f64::MAX);
        assert!((0.2..2.0).contains(&per_second), "{per_second}");
    }

    #[test]
    fn a_rate_that_was_written_down_goes_on_where_it_was() {
        let mut trial = Trial::halved();
        let text = serde_json::to_string(&trial.rate).unwrap();
        let mut read = Trial { rate: serde_json::from_str(&text).unwrap(), ..trial };
        trial = Trial::halved();
        (0..50).for_each(|_| (trial.take(), read.take()).0);
        assert!((trial.now - read.now).abs() < 1e-3);
    }

    /// What a server does, and when the next request comes.
    fn events() -> impl Strategy<Value = Vec<(f64, bool, Option<u64>, bool)>> {
        let asked = prop_oneof![Just(None), Just(Some(0)), (1..400_u64).prop_map(Some), Just(Some(u64::MAX))];
        prop::collection::vec((0.0..3.0_f64, prop::bool::weighted(0.3), asked, prop::bool::weighted(0.9)), 1..80)
    }

    proptest! {
        #[test]
        fn whatever_comes_the_rate_keeps_its_bounds_and_somebody_may_go_soon(setting in 0..300_u32, events in events()) {
            let mut trial = Trial::new(setting);
            for (later, refused, asked, answered) in events {
                trial.now += later;
                let begun = trial.now;
                let ticket = trial.go();
                prop_assert!(trial.now - begun <= 306.0, "{}", trial.now - begun);
                match (answered, refused) {
                    (true, true) => prop_assert!(trial.refuse(ticket, asked) <= 300.0),
                    (true, false) => drop(trial.step(Step::Taken(ticket), 1)),
                    (false, _) => {}
                }
                let per_second = trial.per_second();
                let highest = if setting > 0 { f64::from(setting) } else { ENOUGH };
                prop_assert!(per_second.is_none_or(|rate| (FLOOR..=highest).contains(&rate)), "{per_second:?}");
                prop_assert!(per_second.is_some() || setting == 0);
            }
        }

        #[test]
        fn never_more_go_than_the_rate_allows(waits in prop::collection::vec(0.0..0.2_f64, 50..200)) {
            let mut trial = Trial::halved();
            let begun = trial.now;
            for (number, wait) in waits.into_iter().enumerate() {
                trial.now += wait;
                trial.take();
                let most = trial.per_second().unwrap_or(ENOUGH) * (trial.now - begun + EARLY) + 1.0;
                prop_assert!(number as f64 <= most, "{number} in {}", trial.now - begun);
            }
        }
    }
}
