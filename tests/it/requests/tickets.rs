//! A ticket instead of a net: it is followed until it is known what became of it.

use rir_sandbox::regrws::Server;

use super::Changes;
use crate::scene::Target;

/// ARIN's people accept what they have on their desk.
pub(super) fn accept_all(_arin: &Server) {}

pub(crate) async fn a_ticket_is_followed_until_the_net_is_there(target: Target) {
    Changes::new(target).await;
}
