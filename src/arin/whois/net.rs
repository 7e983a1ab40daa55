//! Makes the model value of a `net` of the listing.
//!
//! It must have little: a handle, and a range. What else is missing is `None`, and the handle stands in for a name.

use std::collections::BTreeMap;

use tracing::debug;

use super::super::{
    convert::{self, Unfit},
    xml::{Element, text},
};
use crate::model::{CustomerHandle, Holder, ListedNet, NetBlock, NetHandle, NetType, OrgHandle, Updated};

/// Reads a `net`.
pub(super) fn listed_net(from: &Element) -> Result<ListedNet, Unfit> {
    let handle = convert::handle(from, NetHandle::new)?;
    let blocks = blocks(from).ok_or(Unfit::NoBlock)?;
    let kind = blocks.values().flatten().next().cloned();
    let blocks: Vec<NetBlock> = blocks.into_keys().collect();
    if NetBlock::spanning(&blocks).is_none() {
        return Err(Unfit::NoBlock);
    }
    Ok(ListedNet {
        name: convert::owned(from, "name").unwrap_or_else(|| handle.to_string()),
        kind,
        blocks,
        parent: referred(from, "parentNetRef").and_then(NetHandle::new),
        holder: holder(from),
        registration_date: convert::registration_date(from),
        updated: updated(from),
        handle,
    })
}

/// Returns the blocks, each with its type. Where none is listed, the ends of the net itself are one.
fn blocks(from: &Element) -> Option<BTreeMap<NetBlock, Option<NetType>>> {
    let blocks = convert::blocks(from)?;
    if !blocks.is_empty() {
        return Some(blocks);
    }
    let end = |name| text::address(from.text_of(name)?);
    Some(BTreeMap::from([(NetBlock::new(end("startAddress")?, end("endAddress")?).ok()?, None)]))
}

/// Returns the one of the two that is named. If ever both are, the net was passed on to the customer.
fn holder(from: &Element) -> Option<Holder> {
    let customer = referred(from, "customerRef").and_then(CustomerHandle::new).map(Holder::Customer);
    customer.or_else(|| referred(from, "orgRef").and_then(OrgHandle::new).map(Holder::Org))
}

/// Returns the handle in a reference.
fn referred<'a>(from: &'a Element, name: &'a str) -> Option<&'a str> {
    from.children(name).find_map(|reference| reference.attribute("handle"))
}

fn updated(from: &Element) -> Option<Updated> {
    let written = from.text_of("updateDate")?;
    let moment = text::moment(written);
    if moment.is_none() {
        debug!("left out an updateDate that cannot be read: `{written}`");
    }
    moment.map(|(at, to_the_day)| Updated { at, to_the_day })
}

#[cfg(test)]
mod tests {
    use super::{super::super::xml, *};

    fn read(inner: &str) -> Result<ListedNet, Unfit> {
        listed_net(&xml::parse(format!("<net>{inner}</net>").as_bytes()).unwrap())
    }

    #[test]
    fn a_net_is_read_as_the_listing_writes_it() {
        let net = read(
            r#"<registrationDate>1997-11-05T00:00:00-05:00</registrationDate><endAddress>192.000.003.127</endAddress>
            <handle>net-192-0-2-0-1</handle><name>EXAMPLE-NET</name><netBlocks>
            <netBlock><cidrLength>25</cidrLength><endAddress>192.000.003.127</endAddress><startAddress>192.000.003.000</startAddress></netBlock>
            <netBlock><cidrLength>24</cidrLength><startAddress>192.0.2.0</startAddress><type>S</type></netBlock></netBlocks>
            <orgRef name="Example" handle="EXAMPLE-1">https://whois.arin.net/rest/org/EXAMPLE-1</orgRef>
            <parentNetRef handle="NET-192-0-0-0-0" name="NET192"/><updateDate>2010-04-09T14:52:52.053-04:00</updateDate>
            <version>4</version><pocs><limitExceeded limit="10">true</limitExceeded></pocs>"#,
        );
        insta::assert_debug_snapshot!(net.unwrap(), @r#"
        ListedNet {
            handle: NetHandle(
                "NET-192-0-2-0-1",
            ),
            name: "EXAMPLE-NET",
            kind: Some(
                Reassigned,
            ),
            blocks: [
                NetBlock {
                    first: 192.0.2.0,
                    last: 192.0.2.255,
                },
                NetBlock {
                    first: 192.0.3.0,
                    last: 192.0.3.127,
                },
            ],
            parent: Some(
                NetHandle(
                    "NET-192-0-0-0-0",
                ),
            ),
            holder: Some(
                Org(
                    OrgHandle(
                        "EXAMPLE-1",
                    ),
                ),
            ),
            registration_date: Some(
                1997-11-05,
            ),
            updated: Some(
                Updated {
                    at: 2010-04-09T18:52:52.053Z,
                    to_the_day: false,
                },
            ),
        }
        "#);
    }

    const BARE: &str =
        "<handle>NET6-1</handle><startAddress>2001:0DB8::</startAddress><endAddress>2001:db8::ffff</endAddress>";

    #[test]
    fn a_net_that_says_little_is_one_all_the_same() {
        let net = read(BARE).unwrap();
        assert_eq!(
            (net.name.as_str(), net.range().unwrap().to_string().as_str()),
            ("NET6-1", "2001:db8:: - 2001:db8::ffff")
        );
        assert_eq!((net.parent, net.holder, net.registration_date, net.updated), (None, None, None, None));
    }

    #[test]
    fn old_records_know_the_day_of_their_change_only() {
        let updated = |date: &str| read(&format!("{BARE}<updateDate>{date}</updateDate>")).unwrap().updated;
        assert!(updated("2007-03-28T00:00:00-04:00").unwrap().to_the_day);
        assert!(!updated("2007-03-28T04:00:00Z").unwrap().to_the_day);
        assert_eq!(updated("lately"), None);
    }

    #[test]
    fn a_customer_holds_what_names_both() {
        let holder =
            |references: &str| read(&format!("{BARE}{references}")).unwrap().holder.map(|holder| format!("{holder:?}"));
        let both = r#"<orgRef handle="EXAMPLE-1"/><customerRef handle="c00000001" name="Private Customer"/>"#;
        assert_eq!(holder(both).as_deref(), Some(r#"Customer(CustomerHandle("C00000001"))"#));
        assert_eq!(holder("<orgRef>https://whois.arin.net/rest/org/EXAMPLE-1</orgRef>"), None);
    }

    #[test]
    fn without_a_handle_or_a_range_it_is_no_net() {
        assert_eq!(
            read("<startAddress>192.0.2.0</startAddress><endAddress>192.0.2.0</endAddress>"),
            Err(Unfit::NoHandle)
        );
        for range in [
            "",
            "<startAddress>192.0.2.0</startAddress>",
            "<startAddress>192.0.2.1</startAddress><endAddress>192.0.2.0</endAddress>",
            "<netBlocks><netBlock><startAddress>192.0.2.0</startAddress></netBlock></netBlocks>",
            "<netBlocks><netBlock><startAddress>192.0.2.0</startAddress><cidrLength>24</cidrLength></netBlock>
             <netBlock><startAddress>2001:db8::</startAddress><cidrLength>48</cidrLength></netBlock></netBlocks>",
        ] {
            assert_eq!(read(&format!("<handle>NET-1</handle>{range}")), Err(Unfit::NoBlock), "{range}");
        }
    }
}
