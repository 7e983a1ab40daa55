//! What hangs on a net and goes with it when it is removed, in words for a person: delegations of reverse DNS and routes.

use super::{convert::Unfit, xml::Element};

/// Reads a `collection` of delegations: each one's name, with its name servers.
pub(super) fn delegations(from: &Element) -> Result<Vec<String>, Unfit> {
    let delegation = |element: &Element| {
        let name = element.text_of("name").ok_or(Unfit::NoHandle)?;
        let servers: Vec<&str> = element.items("nameservers", "nameserver").filter_map(Element::text).collect();
        Ok(if servers.is_empty() { name.to_owned() } else { format!("{name} ({})", servers.join(", ")) })
    };
    from.children("delegation").filter(|element| !element.is_silent()).map(delegation).collect()
}

/// Reads a `collection` of routes: each one's prefix and origin. They come with or without an element around each of them.
pub(super) fn routes(from: &Element) -> Result<Vec<String>, Unfit> {
    let route = |element: &Element| {
        let prefix = element.text_of("prefix").ok_or(Unfit::NoHandle)?;
        let origin = element.text_of("originAS").map(|origin| format!(" {origin}"));
        Ok(format!("{prefix}{}", origin.unwrap_or_default()))
    };
    from.children.iter().filter(|element| !element.is_silent()).map(route).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::xml, *};

    fn read(inner: &str, read: fn(&Element) -> Result<Vec<String>, Unfit>) -> Result<String, Unfit> {
        let list = xml::parse(format!("<collection>{inner}</collection>").as_bytes()).unwrap();
        read(&list).map(|found| found.join("; "))
    }

    #[test]
    fn delegations_are_named_with_their_servers() {
        let found = read(
            "<delegation><name>2.0.192.in-addr.arpa.</name><delegationKeys/><nameservers>\
             <nameserver>NS1.EXAMPLE.NET</nameserver><nameserver>NS2.EXAMPLE.NET</nameserver></nameservers></delegation>\
             <delegation/><delegation><name>100.51.198.in-addr.arpa.</name><nameservers/></delegation>",
            delegations,
        );
        insta::assert_snapshot!(found.unwrap(), @"2.0.192.in-addr.arpa. (NS1.EXAMPLE.NET, NS2.EXAMPLE.NET); 100.51.198.in-addr.arpa.");
        assert_eq!(read("", delegations).unwrap(), "");
        assert_eq!(read("<delegation><ttl>1</ttl></delegation>", delegations), Err(Unfit::NoHandle));
    }

    #[test]
    fn routes_are_named_with_their_origins() {
        let found = read(
            "<routeRef entry='ADVANCED'><orgHandle>EXAMPLE-1</orgHandle><originAS>AS64496</originAS>\
             <prefix>192.0.2.0/24</prefix></routeRef><routeRef><prefix>2001:db8::/32</prefix></routeRef>",
            routes,
        );
        insta::assert_snapshot!(found.unwrap(), @"192.0.2.0/24 AS64496; 2001:db8::/32");
        assert_eq!(read("<routeRef entry='SIMPLE'/>", routes), Err(Unfit::NoHandle));
    }
}
