//! The kinds of findings and their levels, under the names that JSON, metrics and NetBox use.

use std::fmt;

/// A kind of finding.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[schema(as = FindingKind)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An assigned prefix has to be registered and is not; there is time left.
    Unregistered,
    /// As [`Kind::Unregistered`], and its time is over.
    Overdue,
    /// An assigned prefix is not registered and does not have to be.
    Voluntary,
    /// A prefix that is to be registered cannot be, as something that ARIN asks for is missing.
    NeedsData,
    /// Registering a prefix is under way.
    Pending,
    /// A net is registered and has no prefix in NetBox.
    NotInNetbox,
    /// A net is registered for a prefix that is not assigned any more.
    Stale,
    /// As [`Kind::NotInNetbox`], and a prefix of its range was deleted.
    PrefixGone,
    /// A larger net than the prefix is registered.
    Wider,
    /// Smaller nets than the prefix are registered.
    Split,
    /// A net overlaps the prefix, and neither contains the other.
    Overlap,
    /// The registered customer has another name than the tenant.
    CustomerName,
    /// The registered customer is linked to another tenant than the prefix.
    TenantLink,
    /// The net is held by another organization than the tenant's.
    OtherOrg,
    /// The net is held by an organization that is linked to no tenant.
    UnlinkedOrg,
    /// The net is of another kind than the tenant needs.
    WrongKind,
    /// The registered customer has another address than the one recorded for the tenant.
    Address,
    /// The registered customer is public and should be private, or the other way round.
    Privacy,
    /// The net has another name than the template makes.
    NetName,
    /// A customer's net is gone, and the customer is still registered.
    CustomerLeft,
    /// A net names a customer that the registry does not have.
    CustomerMissing,
    /// An aggregate has no net.
    AggregateUnregistered,
    /// An aggregate's net is held by somebody else.
    AggregateHeldByOther,
    /// An aggregate and its net have different ranges.
    AggregateRange,
    /// Nothing inside an aggregate can be registered by us, as its own net is a reassignment.
    Unsplittable,
    /// A prefix lies in a net that was reallocated to somebody else, who has to register it.
    NotOurs,
    /// A whole allocation of ours is assigned to a customer.
    WholeAllocation,
    /// The config's own organization lacks a contact that ARIN asks for.
    OrgIncomplete,
    /// An organization of a tenant cannot be given space.
    RecipientUnfit,
    /// A ticket waits for us.
    TicketWaits,
    /// A ticket has been open for long.
    TicketOld,
    /// A ticket has ended and has not brought about what was asked for.
    TicketFailed,
    /// It is not known whether something that was sent to the registry was done.
    Uncertain,
    /// It is not known whether something is registered.
    NotKnown,
    /// Two prefixes of the same range belong to different tenants.
    DuplicateRange,
}

/// The urgency of a finding, the most urgent first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[schema(as = FindingLevel)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Somebody has to act now.
    Alert,
    /// Somebody has to act.
    Notice,
    /// Good to know.
    Info,
}

impl Kind {
    /// All kinds, in the order of the guide.
    pub const ALL: [Self; 35] = [
        Self::Unregistered,
        Self::Overdue,
        Self::Voluntary,
        Self::NeedsData,
        Self::Pending,
        Self::NotInNetbox,
        Self::Stale,
        Self::PrefixGone,
        Self::Wider,
        Self::Split,
        Self::Overlap,
        Self::CustomerName,
        Self::TenantLink,
        Self::OtherOrg,
        Self::UnlinkedOrg,
        Self::WrongKind,
        Self::Address,
        Self::Privacy,
        Self::NetName,
        Self::CustomerLeft,
        Self::CustomerMissing,
        Self::AggregateUnregistered,
        Self::AggregateHeldByOther,
        Self::AggregateRange,
        Self::Unsplittable,
        Self::NotOurs,
        Self::WholeAllocation,
        Self::OrgIncomplete,
        Self::RecipientUnfit,
        Self::TicketWaits,
        Self::TicketOld,
        Self::TicketFailed,
        Self::Uncertain,
        Self::NotKnown,
        Self::DuplicateRange,
    ];

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unregistered => "unregistered",
            Self::Overdue => "overdue",
            Self::Voluntary => "voluntary",
            Self::NeedsData => "needs-data",
            Self::Pending => "pending",
            Self::NotInNetbox => "not-in-netbox",
            Self::Stale => "stale",
            Self::PrefixGone => "prefix-gone",
            Self::Wider => "wider",
            Self::Split => "split",
            Self::Overlap => "overlap",
            Self::CustomerName => "customer-name",
            Self::TenantLink => "tenant-link",
            Self::OtherOrg => "other-org",
            Self::UnlinkedOrg => "unlinked-org",
            Self::WrongKind => "wrong-kind",
            Self::Address => "address",
            Self::Privacy => "privacy",
            Self::NetName => "net-name",
            Self::CustomerLeft => "customer-left",
            Self::CustomerMissing => "customer-missing",
            Self::AggregateUnregistered => "aggregate-unregistered",
            Self::AggregateHeldByOther => "aggregate-held-by-other",
            Self::AggregateRange => "aggregate-range",
            Self::Unsplittable => "unsplittable",
            Self::NotOurs => "not-ours",
            Self::WholeAllocation => "whole-allocation",
            Self::OrgIncomplete => "org-incomplete",
            Self::RecipientUnfit => "recipient-unfit",
            Self::TicketWaits => "ticket-waits",
            Self::TicketOld => "ticket-old",
            Self::TicketFailed => "ticket-failed",
            Self::Uncertain => "uncertain",
            Self::NotKnown => "not-known",
            Self::DuplicateRange => "duplicate-range",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns the kind that stands for it in the identity of a finding. A finding that turns into another kind of the same
    /// family stays the same one, so that what the operator said of it survives.
    #[must_use]
    pub fn family(self) -> Self {
        if matches!(self, Self::Overdue | Self::Voluntary | Self::Pending) {
            Self::Unregistered
        } else if self == Self::PrefixGone {
            Self::NotInNetbox
        } else {
            self
        }
    }
}

impl Level {
    /// All levels, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Alert, Self::Notice, Self::Info];

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Notice => "notice",
            Self::Info => "info",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_same_names() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        for level in Level::ALL {
            assert_eq!(serde_json::to_value(level).unwrap(), level.name());
        }
    }
}
