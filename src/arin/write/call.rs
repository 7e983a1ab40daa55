//! A call as a value.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::{
    body,
    document::Document,
    payload::{NewNet, Unsendable},
};
use crate::model::{CustomerHandle, NetHandle};

/// The method of a [`Call`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "HTTP's own words")]
pub enum Verb {
    Put,
    Delete,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        })
    }
}

/// A call that changes something at ARIN, as it is approved, kept and sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The method.
    pub method: Verb,
    /// The segments behind `/rest`.
    pub path: Vec<String>,
    /// The parameters behind the path; the API key is none of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// The document that goes with it, as XML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// The calls that there are. No other is sent, whatever a row in NetBox says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::arin) enum CallKind {
    Reassign,
    Reallocate,
    ChangeNet,
    ChangeCustomer,
    RemoveNet,
    RemoveNetSaying,
    DeleteCustomer,
    CloseTicket,
}

impl Call {
    /// Registers a net: gives a range of its parent to an organization, or to a customer who is made in the same call.
    ///
    /// # Errors
    /// When ARIN's documents cannot say it, or ARIN would take none of it.
    pub fn create(net: &NewNet) -> Result<Self, Unsendable> {
        let what = if net.kind.code() == "A" { "reallocate" } else { "reassign" };
        Ok(Self::put(["net", net.parent.as_str(), what]).with(body::net(net)?))
    }

    /// Changes a net to what a document says, which was made of the net as it is.
    #[must_use]
    pub fn change_net(handle: &NetHandle, document: &Document) -> Self {
        Self::put(["net", handle.as_str()]).with(document.xml())
    }

    /// Changes a customer to what a document says, which was made of the customer as it is.
    #[must_use]
    pub fn change_customer(handle: &CustomerHandle, document: &Document) -> Self {
        Self::put(["customer", handle.as_str()]).with(document.xml())
    }

    /// Returns a net to the one that it was cut from.
    #[must_use]
    pub fn remove_net(handle: &NetHandle) -> Self {
        Self::delete(["net", handle.as_str()])
    }

    /// Returns a net, as the document has it, and tells ARIN why.
    ///
    /// # Errors
    /// When XML cannot carry the reason.
    pub fn remove_net_saying(handle: &NetHandle, document: &Document, reason: &str) -> Result<Self, Unsendable> {
        Ok(Self::put(["net", handle.as_str(), "remove"]).with(document.with_message(reason)?.xml()))
    }

    /// Deletes a customer, who must not hold a net any more.
    #[must_use]
    pub fn delete_customer(handle: &CustomerHandle) -> Self {
        Self::delete(["customer", handle.as_str()])
    }

    /// Closes a ticket that is resolved. Its attachments are answered by name only, as they may be too large.
    #[must_use]
    pub fn close_ticket(number: &str) -> Self {
        let query = vec![("msgRefs".to_owned(), "true".to_owned())];
        Self { query, ..Self::put(["ticket", number, "ticketStatus", "CLOSED"]) }
    }

    /// Returns the whole call as text. Different calls have different texts.
    #[must_use]
    pub fn text(&self) -> String {
        let method = self.method;
        let path = self.path.iter().map(|segment| format!("/{}", encoded(segment))).collect::<String>();
        let query = self.query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        let query = query.reduce(|first, next| format!("{first}&{next}")).map(|query| format!("?{query}"));
        let body = self.body.as_ref().map(|body| format!("\n{body}"));
        format!("{method} /rest{path}{}\n{}", query.unwrap_or_default(), body.unwrap_or_default())
    }

    /// Returns which call it is; `None` for one that there is not.
    pub(in crate::arin) fn kind(&self) -> Option<CallKind> {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let kind = match (self.method, path.as_slice(), self.body.is_some()) {
            (Verb::Put, ["net", _, "reassign"], true) => CallKind::Reassign,
            (Verb::Put, ["net", _, "reallocate"], true) => CallKind::Reallocate,
            (Verb::Put, ["net", _, "remove"], true) => CallKind::RemoveNetSaying,
            (Verb::Put, ["net", _], true) => CallKind::ChangeNet,
            (Verb::Put, ["customer", _], true) => CallKind::ChangeCustomer,
            (Verb::Delete, ["net", _], false) => CallKind::RemoveNet,
            (Verb::Delete, ["customer", _], false) => CallKind::DeleteCustomer,
            (Verb::Put, ["ticket", _, "ticketStatus", "CLOSED"], false) => CallKind::CloseTicket,
            _ => return None,
        };
        // A URL does without the first two, and with them the call would be another one.
        let object = path.get(1).filter(|object| !matches!(**object, "." | ".." | ""));
        object.filter(|_| self.query.is_empty() || kind == CallKind::CloseTicket).map(|_| kind)
    }

    fn put<const N: usize>(path: [&str; N]) -> Self {
        Self { method: Verb::Put, path: path.map(str::to_owned).into(), query: Vec::new(), body: None }
    }

    fn delete<const N: usize>(path: [&str; N]) -> Self {
        Self { method: Verb::Delete, ..Self::put(path) }
    }

    fn with(self, body: String) -> Self {
        Self { body: Some(body), ..self }
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

impl CallKind {
    /// Returns its name in metrics.
    pub(in crate::arin) fn name(self) -> &'static str {
        match self {
            Self::Reassign => "reassign",
            Self::Reallocate => "reallocate",
            Self::ChangeNet => "change-net",
            Self::ChangeCustomer => "change-customer",
            Self::RemoveNet | Self::RemoveNetSaying => "remove-net",
            Self::DeleteCustomer => "delete-customer",
            Self::CloseTicket => "close-ticket",
        }
    }

    /// Returns the root element of the answer, besides `ticketedRequest`, which any call but the last may be answered by.
    pub(in crate::arin) fn expects(self) -> &'static str {
        match self {
            Self::Reassign | Self::Reallocate | Self::RemoveNet | Self::RemoveNetSaying => "ticketedRequest",
            Self::ChangeNet => "net",
            Self::ChangeCustomer | Self::DeleteCustomer => "customer",
            Self::CloseTicket => "ticket",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        arin::write::{NewCustomer, NewHolder},
        model::{Address, NetBlock, NetType, OrgHandle},
    };

    fn range(first: &str, last: &str) -> NetBlock {
        NetBlock::new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
    }

    fn net(holder: NewHolder) -> NewNet {
        NewNet {
            name: "EXAMPLE-CAFE".to_owned(),
            parent: NetHandle::new("NET-192-0-0-0-1").unwrap(),
            range: range("192.0.2.8", "192.0.2.19"),
            kind: NetType::Reassigned,
            holder,
            comment: Vec::new(),
        }
    }

    fn customer() -> NewCustomer {
        NewCustomer {
            name: "Example & Sons <Cafe>".to_owned(),
            address: Address {
                street: vec!["1 Example Way".to_owned(), "Suite 500".to_owned()],
                city: Some("Chantilly".to_owned()),
                state_province: Some("VA".to_owned()),
                postal_code: Some("20151".to_owned()),
                country: Some("US".to_owned()),
            },
            private: false,
            comment: vec!["Customer 42".to_owned()],
        }
    }

    fn org() -> NewHolder {
        NewHolder::Org(OrgHandle::new("EXAMPLE-2").unwrap())
    }

    #[test]
    fn a_simple_reassignment_brings_its_customer_along() {
        let net = NewNet {
            comment: vec!["Réseau".to_owned(), String::new(), "  <ops@example.net>".to_owned()],
            ..net(NewHolder::Customer(customer()))
        };
        insta::assert_snapshot!(Call::create(&net).unwrap().text(), @r#"
        PUT /rest/net/NET-192-0-0-0-1/reassign

        <?xml version="1.0" encoding="UTF-8"?>
        <net xmlns="http://www.arin.net/regrws/core/v1">
          <version>4</version>
          <netName>EXAMPLE-CAFE</netName>
          <parentNetHandle>NET-192-0-0-0-1</parentNetHandle>
          <customer>
            <customerName>Example &amp; Sons &lt;Cafe&gt;</customerName>
            <streetAddress>
              <line number="0">1 Example Way</line>
              <line number="1">Suite 500</line>
            </streetAddress>
            <city>Chantilly</city>
            <iso3166-2>VA</iso3166-2>
            <postalCode>20151</postalCode>
            <iso3166-1>
              <code2>US</code2>
            </iso3166-1>
            <privateCustomer>false</privateCustomer>
            <comment>
              <line number="0">Customer 42</line>
            </comment>
          </customer>
          <netBlocks>
            <netBlock>
              <type>S</type>
              <startAddress>192.0.2.8</startAddress>
              <endAddress>192.0.2.19</endAddress>
            </netBlock>
          </netBlocks>
          <comment>
            <line number="0">Réseau</line>
            <line number="1"/>
            <line number="2">  &lt;ops@example.net&gt;</line>
          </comment>
        </net>
        "#);
    }

    #[test]
    fn a_detailed_reassignment_names_an_organization() {
        insta::assert_snapshot!(Call::create(&net(org())).unwrap().text(), @r#"
        PUT /rest/net/NET-192-0-0-0-1/reassign

        <?xml version="1.0" encoding="UTF-8"?>
        <net xmlns="http://www.arin.net/regrws/core/v1">
          <version>4</version>
          <netName>EXAMPLE-CAFE</netName>
          <parentNetHandle>NET-192-0-0-0-1</parentNetHandle>
          <orgHandle>EXAMPLE-2</orgHandle>
          <netBlocks>
            <netBlock>
              <type>S</type>
              <startAddress>192.0.2.8</startAddress>
              <endAddress>192.0.2.19</endAddress>
            </netBlock>
          </netBlocks>
        </net>
        "#);
    }

    #[test]
    fn a_reallocation_is_of_another_type_and_may_be_ipv6() {
        let parent = NetHandle::new("NET6-2001-DB8-1").unwrap();
        let range = range("2001:db8:1::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff");
        let net = NewNet { parent, range, kind: NetType::Reallocated, ..net(org()) };
        insta::assert_snapshot!(Call::create(&net).unwrap().text(), @r#"
        PUT /rest/net/NET6-2001-DB8-1/reallocate

        <?xml version="1.0" encoding="UTF-8"?>
        <net xmlns="http://www.arin.net/regrws/core/v1">
          <version>6</version>
          <netName>EXAMPLE-CAFE</netName>
          <parentNetHandle>NET6-2001-DB8-1</parentNetHandle>
          <orgHandle>EXAMPLE-2</orgHandle>
          <netBlocks>
            <netBlock>
              <type>A</type>
              <startAddress>2001:db8:1::</startAddress>
              <endAddress>2001:db8:1:ffff:ffff:ffff:ffff:ffff</endAddress>
            </netBlock>
          </netBlocks>
        </net>
        "#);
    }

    #[test]
    fn what_has_no_document_is_a_path_alone() {
        let (net, customer) = (NetHandle::new("NET-1/..?x").unwrap(), CustomerHandle::new("C1").unwrap());
        let calls = [Call::remove_net(&net), Call::delete_customer(&customer), Call::close_ticket("20260922-X1")];
        insta::assert_snapshot!(calls.map(|call| call.text()).concat(), @"
        DELETE /rest/net/NET-1%2F..%3FX
        DELETE /rest/customer/C1
        PUT /rest/ticket/20260922-X1/ticketStatus/CLOSED?msgRefs=true
        ");
    }

    #[test]
    fn a_call_is_kept_as_it_is() {
        let calls = [Call::create(&net(org())).unwrap(), Call::close_ticket("20260922-X1")];
        for call in calls {
            let json = serde_json::to_string(&call).unwrap();
            assert_eq!(serde_json::from_str::<Call>(&json).unwrap(), call);
        }
        insta::assert_snapshot!(serde_json::to_string(&Call::remove_net(&NetHandle::new("NET-1").unwrap())).unwrap(), @r#"{"method":"DELETE","path":["net","NET-1"]}"#);
    }

    #[test]
    fn a_call_of_no_known_kind_is_none() {
        let call = Call::create(&net(org())).unwrap();
        assert_eq!(call.kind(), Some(CallKind::Reassign));
        let path =
            |path: &[&str]| Call { path: path.iter().map(|&segment| segment.to_owned()).collect(), ..call.clone() };
        for other in [
            path(&["net", "..", "reassign"]),
            path(&["net", "", "reassign"]),
            path(&["net", "NET-1", "customer"]),
            path(&["org", "EXAMPLE-1"]),
            path(&["net"]),
            Call { body: None, ..call.clone() },
            Call { method: Verb::Delete, ..call.clone() },
            Call { query: vec![("apikey".to_owned(), "x".to_owned())], ..call.clone() },
        ] {
            assert_eq!(other.kind(), None, "{other:?}");
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused_by_name() {
        let told = |net: &NewNet| Call::create(net).unwrap_err().to_string();
        let with = |customer: NewCustomer| net(NewHolder::Customer(customer));
        let mut abroad = customer();
        abroad.address.country = Some("Ireland".to_owned());
        let refused = [
            told(&NewNet { name: "A\u{1}B".to_owned(), ..net(org()) }),
            told(&NewNet { comment: vec!["x\u{b}".to_owned()], ..net(org()) }),
            told(&NewNet { comment: vec!["two\nlines".to_owned()], ..net(org()) }),
            told(&NewNet { kind: NetType::DirectAllocation, ..net(org()) }),
            told(&NewNet { kind: NetType::Reallocated, ..with(customer()) }),
            told(&with(NewCustomer { name: "Example Café".to_owned(), ..customer() })),
            told(&with(abroad)),
        ];
        insta::assert_snapshot!(refused.join("\n"), @r#"
        `netName` has the character \u{1}, which ARIN takes in comments only
        `comment` has the character \u{b}, which no line can have
        `comment` has the character \u{a}, which no line can have
        a net of type DA cannot be given to this holder: `S` is a reassignment, `A` a reallocation, which needs an organization
        a net of type A cannot be given to this holder: `S` is a reassignment, `A` a reallocation, which needs an organization
        `customerName` has the character `é`, which ARIN takes in comments only
        `Ireland` is no code of a country of two or three letters, as ARIN wants it
        "#);
    }
}
