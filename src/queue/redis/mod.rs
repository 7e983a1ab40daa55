//! The queue in Redis, 6.2 or newer, for any number of replicas.
//!
//! Each step is one script: nothing comes between its parts, and a job is never in two places or in none. The scripts
//! take the time from Redis. All keys begin with `{prefix}:`.
//!
//! | key | kind | holds | leaves when |
//! |---|---|---|---|
//! | `ready` | stream, group `workers` | a message for each job that is ready or running | the claim ends |
//! | `delayed` | sorted set | jobs by the time they are due | due, or cancelled |
//! | `job:ID` | hash | all about one job | over for `queue.keep`, dead for four times that |
//! | `more:ID` | set | what later orders added to a job | with the job |
//! | `notes:ID` | list | the checkpoint of a job | the job is over |
//! | `heads` | hash | for each key, the job that has it; equal ones are parked behind it | the last one ends |
//! | `at-work` | hash | for each config, and for each `plans:USER`, its running job | that stops running |
//! | `vanished` | hash | of these, whose running job is lost, and since when that is known | a lease later |
//! | `line:...` of the same | sorted set | jobs that wait for it, in the order in which they came | claimed, or over |
//! | `jobs` | sorted set | all jobs by age, for lists | forgotten |
//! | `state:parked`, `state:dead` | set | the jobs in that state, to be counted | the state changes |
//! | `over` | sorted set | jobs that are over, by the time they are forgotten; at most `MAX_OVER` | forgotten |
//! | `dead` | stream | dead letters: job, key, body, error | retried, cancelled or forgotten |
//! | `taken` | string | nothing | a second after somebody asked whether Redis takes writes |
//!
//! A claim is one script, too: it reads the stream and marks the jobs as running in one step. What is idle in the group
//! for longer than the lease is taken over by the same script; heartbeats begin that time anew. While there is nothing
//! to claim, one task of each process waits at the stream, without taking anything from it.
//!
//! An accepted job is as durable as Redis is told to be: `appendonly yes` at least.
//!
//! # When keys are lost
//!
//! Nothing here expires, but Redis may throw keys away when its memory is full, and a person may delete some. Any one of
//! them may go without that a later order is swallowed or that two jobs are at work at one config. `repair` looks through
//! the jobs, some at a time, and puts each back to where its state says. What is lost with a key:
//!
//! | key | until it is repaired | for good |
//! |---|---|---|
//! | `ready` | its jobs are not claimed, and running ones not taken over; heartbeats go on | nothing |
//! | `delayed`, `state:...`, `over`, `dead`, `jobs` | jobs are not due, counted, forgotten or listed | nothing |
//! | `job:ID` | its config is taken for as long as a lease: the worker is still to hear of it | the job |
//! | `heads`, `at-work` | nothing: the next step that needs them makes them anew from the jobs | nothing |
//! | `line:...` | those in line are not called | their order |
//! | `more:ID`, `notes:ID` | nothing | what later orders added; what the run had finished |

mod claim;
mod queue;
mod repair;
mod scripts;
mod wire;

pub(super) use queue::InRedis;
