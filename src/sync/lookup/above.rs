//! Finds the nets that hide above one that was found.
//!
//! A range can be registered several times over: an allocation whose whole range was reallocated, and of which all was
//! reassigned again. ARIN names only the most specific of these nets, and each of them names the one it was cut from.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    ask::{Asker, Found},
    finding::Stopped,
    worklist::Recorded,
};
use crate::model::{Net, NetHandle, NetType, ObjectType};

/// The nets above one that was found, as far as they are the config's.
pub(super) struct Above {
    /// The nearest first; the last is the config's own registration, unless that was known before.
    nets: Vec<Arc<Net>>,
    /// They have not to be asked for again.
    settled: bool,
    /// Why one of them could not be asked for.
    pub(super) failed: Option<String>,
}

impl Above {
    /// Returns the handle of the config's own registration, if it is among these.
    pub(super) fn top(&self) -> Option<&NetHandle> {
        self.nets.last().map(|net| &net.handle)
    }
}

impl Asker {
    /// Asks for the nets that `net` was cut from, up to the config's own registration or to one that is `known`. Where
    /// they lead to somebody else's, there are none.
    pub(super) async fn above(&self, net: &Net, known: impl Fn(&NetHandle) -> bool) -> Result<Above, Stopped> {
        let (mut nets, mut seen) = (Vec::new(), BTreeSet::from([net.handle.clone()]));
        let mut next = self.cut_from(net);
        while let Some(handle) = next.filter(|handle| seen.insert(handle.clone())) {
            if known(&handle) {
                return Ok(Above { nets, settled: true, failed: None });
            }
            self.may_go_on()?;
            let net = match self.parent(&handle).await? {
                Found::Object(net) => net,
                Found::Nothing { settled, failed } => return Ok(Above { nets: Vec::new(), settled, failed }),
            };
            next = self.cut_from(&net);
            let own = self.is_own(&net);
            nets.push(net);
            if own {
                return Ok(Above { nets, settled: true, failed: None });
            }
        }
        Ok(Above { nets: Vec::new(), settled: true, failed: None })
    }

    /// Passes on these nets, the outermost first, so that it is known whose the inner ones are. Returns whether none of
    /// them has to be asked for again.
    pub(super) async fn found_above(&self, Above { nets, mut settled, .. }: Above) -> Result<bool, Stopped> {
        for net in nets.into_iter().rev() {
            settled &= self.found_net(Arc::unwrap_or_clone(net)).await?;
        }
        Ok(settled)
    }

    /// Returns the net above that may be the config's: there is none above an allocation, and none above what the config's
    /// organization holds itself.
    fn cut_from(&self, net: &Net) -> Option<NetHandle> {
        match net.kind {
            Some(NetType::DirectAllocation | NetType::Registry(_)) => None,
            Some(NetType::Reallocated | NetType::Reassigned | NetType::Other(_)) | None => {
                net.parent.clone().filter(|_| !self.is_own(net))
            }
        }
    }

    /// Returns whether this is a registration of the config's own organization. A config that names none has every
    /// allocation that it meets.
    fn is_own(&self, net: &Net) -> bool {
        match &self.owner {
            Some(owner) => net.org() == Some(owner),
            None => net.kind == Some(NetType::DirectAllocation),
        }
    }

    /// Asks once for a net that another names as the one it was cut from. A key may well not be allowed to see it: it can
    /// be the upstream provider's.
    async fn parent(&self, handle: &NetHandle) -> Result<Found<Arc<Net>>, Stopped> {
        let ask = async {
            let answer = self.source.net(handle).await;
            if let Err(error) = &answer
                && error.refuses_object()
            {
                let why = format!("a net was cut from it, but it cannot be read: {error}");
                self.skip(ObjectType::Network, handle, &why).await?;
                return Ok(Found::Nothing { settled: true, failed: None });
            }
            let absent = "a net names it as the one it was cut from, but ARIN does not have it";
            Ok(match self.found(ObjectType::Network, handle, answer, absent).await? {
                Found::Object(net) => Found::Object(Arc::new(net)),
                Found::Nothing { settled, failed } => Found::Nothing { settled, failed },
            })
        };
        self.asked.parents.once(handle, ask).await
    }

    /// Returns whether a net has come up in this run.
    pub(super) fn knows_net(&self, handle: &NetHandle) -> bool {
        self.is_marked(&Recorded::Net(handle.clone()))
    }
}
