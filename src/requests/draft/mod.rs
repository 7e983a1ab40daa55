//! Drafts: from what NetBox says to the exact call, or to what is missing for it. Pure.
//!
//! | file | its part |
//! |---|---|
//! | `wish`, `place` | what somebody asks for |
//! | `fields` | what they set of it, under ARIN's names |
//! | `wishes` | the wishes that settle a finding, or all of an aggregate |
//! | `answers` | what ARIN has to be asked, and its answers |
//! | `drafting` | finds what a wish is about, and has it drafted |
//! | `create`, `modify`, `remove`, `again` | the drafts of each kind of operation |
//! | `page` | what is missing, and what is written in other letters |
//! | `refusal` | why there is nothing to ask for |
//!
//! A caller asks [`Drafting::questions`] until there are none, puts the answers into [`Answers`], and gets the draft. Who is
//! assigned what, which address and which names they have is told by the rules that the findings are judged by
//! ([`Assignments`](crate::findings::judge::Assignments)). No address is ever guessed: its parts come from one RIR address that the operator linked, or were set.

mod again;
mod answers;
mod create;
mod drafting;
mod fields;
mod modify;
mod page;
mod place;
mod refusal;
mod remove;
mod wish;
mod wishes;

pub use self::{
    answers::{Answers, Question},
    drafting::{Draft, Drafting, Rows},
    fields::{Field, Fields, Unsettable},
    place::{NoPlace, Place},
    refusal::NotAskedFor,
    wish::{About, Choice, Wish},
    wishes::{Wishes, is_settled_by_request},
};

#[cfg(test)]
mod tests;
