//! What is recorded of registrations, in the few fields that the findings are judged by.
//!
//! These rows are ours: one that cannot be read is an error. Only addresses may be made by an operator, and one of
//! those is left out with a warning.

use ipnet::IpNet;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, de::Error as _};

use super::{
    client::{Client, objects_path},
    error::Error,
    row::{Row, optional_reference, optional_text, text, typed},
    schema::document::{ADDRESS, CHANGE_REQUEST, CUSTOMER, NETWORK, ORGANIZATION, TICKET},
};
use crate::model::{Address, Key, NetBlock, RowId, inventory::REGISTERED};

/// A recorded net.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct NetworkRow {
    pub id: RowId,
    pub key: Key,
    pub config: Option<RowId>,
    pub name: String,
    pub registered: bool,
    /// ARIN's code.
    pub kind: Option<String>,
    /// The blocks that make up its range, in address order; never empty.
    pub blocks: Vec<NetBlock>,
    /// The handle of the net it was cut from.
    pub parent: Option<String>,
    pub organization: Option<RowId>,
    pub registered_on: Option<Date>,
}

/// A recorded customer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct CustomerRow {
    pub id: RowId,
    pub key: Key,
    pub config: Option<RowId>,
    pub name: String,
    pub registered: bool,
    pub private: Option<bool>,
    pub address: Option<RowId>,
    pub network: Option<RowId>,
    pub tenant: Option<RowId>,
}

/// A recorded organization.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct OrganizationRow {
    pub id: RowId,
    pub key: Key,
    pub config: Option<RowId>,
    pub name: String,
    pub registered: bool,
    pub tenant: Option<RowId>,
}

/// An address, with the tenant and the site that the operator linked to it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct AddressRow {
    pub id: RowId,
    pub address: Address,
    pub site: Option<RowId>,
    pub tenant: Option<RowId>,
}

/// A request for a change at the registry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ChangeRequestFields")]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct ChangeRequestRow {
    pub id: RowId,
    pub config: Option<RowId>,
    pub summary: String,
    pub operation: String,
    pub state: String,
    pub range: Option<NetBlock>,
    pub network: Option<RowId>,
}

/// A ticket at the registry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct TicketRow {
    pub id: RowId,
    #[serde(deserialize_with = "text")]
    pub number: String,
    #[serde(deserialize_with = "text")]
    pub status: String,
    #[serde(deserialize_with = "optional_text")]
    pub resolution: Option<String>,
    #[serde(deserialize_with = "optional_reference")]
    pub change_request: Option<RowId>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub created_at: Option<Timestamp>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub updated_at: Option<Timestamp>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub waiting_for_us: Option<bool>,
}

#[derive(Deserialize)]
struct NetworkFields {
    id: RowId,
    key: String,
    #[serde(deserialize_with = "optional_reference")]
    config: Option<RowId>,
    #[serde(deserialize_with = "text")]
    net_name: String,
    #[serde(deserialize_with = "optional_text")]
    status: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    net_type: Option<String>,
    #[serde(deserialize_with = "text")]
    cidrs: String,
    #[serde(deserialize_with = "text")]
    start_address: String,
    #[serde(deserialize_with = "text")]
    end_address: String,
    #[serde(deserialize_with = "optional_text")]
    parent_handle: Option<String>,
    #[serde(deserialize_with = "optional_reference")]
    organization: Option<RowId>,
    #[serde(deserialize_with = "Option::deserialize")]
    registration_date: Option<Date>,
}

#[derive(Deserialize)]
struct AutoReassign {
    #[serde(deserialize_with = "Option::deserialize")]
    auto_reassign: Option<bool>,
}

#[derive(Deserialize)]
struct CustomerFields {
    id: RowId,
    key: String,
    #[serde(deserialize_with = "optional_reference")]
    config: Option<RowId>,
    #[serde(deserialize_with = "text")]
    customer_name: String,
    #[serde(deserialize_with = "optional_text")]
    status: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    private: Option<bool>,
    #[serde(deserialize_with = "optional_reference")]
    address: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    network: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    tenant: Option<RowId>,
}

#[derive(Deserialize)]
struct OrganizationFields {
    id: RowId,
    key: String,
    #[serde(deserialize_with = "optional_reference")]
    config: Option<RowId>,
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "optional_text")]
    status: Option<String>,
    #[serde(deserialize_with = "optional_reference")]
    tenant: Option<RowId>,
}

#[derive(Deserialize)]
struct AddressFields {
    id: RowId,
    #[serde(deserialize_with = "text")]
    street_address: String,
    #[serde(deserialize_with = "optional_text")]
    city: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    state_province: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    postal_code: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    country: Option<String>,
    #[serde(deserialize_with = "optional_reference")]
    site: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    tenant: Option<RowId>,
}

#[derive(Deserialize)]
struct ChangeRequestFields {
    id: RowId,
    #[serde(deserialize_with = "optional_reference")]
    config: Option<RowId>,
    #[serde(deserialize_with = "text")]
    summary: String,
    #[serde(deserialize_with = "text")]
    operation: String,
    #[serde(deserialize_with = "text")]
    state: String,
    #[serde(deserialize_with = "optional_text")]
    range: Option<String>,
    #[serde(deserialize_with = "optional_reference")]
    network: Option<RowId>,
}

fn is_registered(status: Option<&str>) -> bool {
    status == Some(REGISTERED)
}

/// Reads a range from its first to its last address, `192.0.2.0 - 192.0.2.255`, or as a prefix.
pub(crate) fn range(text: &str) -> Option<NetBlock> {
    let Some((first, last)) = text.split_once('-') else {
        return text.trim().parse().ok().map(|prefix: IpNet| prefix.trunc().into());
    };
    NetBlock::new(first.trim().parse().ok()?, last.trim().parse().ok()?).ok()
}

/// Puts CIDR prefixes together to blocks, those that follow each other to one.
fn blocks(cidrs: &str) -> Option<Vec<NetBlock>> {
    let nets: Option<Vec<IpNet>> = cidrs.split(',').map(|cidr| cidr.trim().parse().ok()).collect();
    Some(IpNet::aggregate(&nets?)).map(|nets| {
        let mut all: Vec<NetBlock> = nets.into_iter().map(NetBlock::from).collect();
        all.sort_unstable();
        all.into_iter().fold(Vec::new(), joined)
    })
}

/// Adds a block behind others; to the last of them if it begins where that one ends.
fn joined(mut blocks: Vec<NetBlock>, next: NetBlock) -> Vec<NetBlock> {
    let before = blocks.pop_if(|last| follows(last, &next));
    blocks.push(before.and_then(|before| NetBlock::new(before.first(), next.last()).ok()).unwrap_or(next));
    blocks
}

/// Returns whether a block begins right behind another one.
fn follows(before: &NetBlock, next: &NetBlock) -> bool {
    match (before.last(), next.first()) {
        (std::net::IpAddr::V4(last), std::net::IpAddr::V4(first)) => {
            u32::from(last).checked_add(1) == Some(u32::from(first))
        }
        (std::net::IpAddr::V6(last), std::net::IpAddr::V6(first)) => {
            u128::from(last).checked_add(1) == Some(u128::from(first))
        }
        (std::net::IpAddr::V4(_), std::net::IpAddr::V6(_)) | (std::net::IpAddr::V6(_), std::net::IpAddr::V4(_)) => {
            false
        }
    }
}

fn network(row: Row) -> Result<NetworkRow, serde_json::Error> {
    let fields: NetworkFields = typed(&row)?;
    let whole = || range(&format!("{} - {}", fields.start_address, fields.end_address)).map(|block| vec![block]);
    let blocks = blocks(&fields.cidrs).filter(|blocks| !blocks.is_empty()).or_else(whole);
    let nowhere = || serde_json::Error::custom("cidrs: there is no range, and none from start_address to end_address");
    Ok(NetworkRow {
        id: fields.id,
        key: Key::recorded(fields.key),
        config: fields.config,
        name: fields.net_name,
        registered: is_registered(fields.status.as_deref()),
        kind: fields.net_type,
        blocks: blocks.ok_or_else(nowhere)?,
        parent: fields.parent_handle,
        organization: fields.organization,
        registered_on: fields.registration_date,
    })
}

fn customer(row: Row) -> Result<CustomerRow, serde_json::Error> {
    let CustomerFields { id, key, config, customer_name, status, private, address, network, tenant } = typed(&row)?;
    let (key, registered) = (Key::recorded(key), is_registered(status.as_deref()));
    Ok(CustomerRow { id, key, config, name: customer_name, registered, private, address, network, tenant })
}

fn organization(row: Row) -> Result<OrganizationRow, serde_json::Error> {
    let OrganizationFields { id, key, config, name, status, tenant } = typed(&row)?;
    let (key, registered) = (Key::recorded(key), is_registered(status.as_deref()));
    Ok(OrganizationRow { id, key, config, name, registered, tenant })
}

fn address(row: Row) -> Result<AddressRow, serde_json::Error> {
    let AddressFields { id, street_address, city, state_province, postal_code, country, site, tenant } = typed(&row)?;
    let lines = street_address.lines().map(str::trim).filter(|line| !line.is_empty());
    let street = lines.map(str::to_owned).collect();
    Ok(AddressRow { id, address: Address { street, city, state_province, postal_code, country }, site, tenant })
}

impl TryFrom<ChangeRequestFields> for ChangeRequestRow {
    type Error = &'static str;

    fn try_from(fields: ChangeRequestFields) -> Result<Self, Self::Error> {
        let ChangeRequestFields { id, config, summary, operation, state, range: text, network } = fields;
        let range =
            text.as_deref().map(|text| range(text).ok_or("range: there is no range such as 192.0.2.0 - 192.0.2.255"));
        Ok(Self { id, config, summary, operation, state, range: range.transpose()?, network })
    }
}

/// Each method fails when NetBox cannot be asked, or a row cannot be read.
#[expect(clippy::missing_errors_doc, reason = "said once for all")]
impl Client {
    /// Reads all recorded nets.
    pub async fn networks(&self) -> Result<Vec<NetworkRow>, Error> {
        let fields = "id,key,config,net_name,status,net_type,cidrs,start_address,end_address,parent_handle,organization,\
                      registration_date";
        self.list_as(&objects_path(NETWORK), &[("fields", fields)], &network).await?.all()
    }

    /// Reads all recorded customers.
    pub async fn customers(&self) -> Result<Vec<CustomerRow>, Error> {
        let fields = "id,key,config,customer_name,status,private,address,network,tenant";
        self.list_as(&objects_path(CUSTOMER), &[("fields", fields)], &customer).await?.all()
    }

    /// Reads all recorded organizations.
    pub async fn organizations(&self) -> Result<Vec<OrganizationRow>, Error> {
        let fields = "id,key,config,name,status,tenant";
        self.list_as(&objects_path(ORGANIZATION), &[("fields", fields)], &organization).await?.all()
    }

    /// Reads all addresses, those that an operator made included.
    pub async fn addresses(&self) -> Result<Vec<AddressRow>, Error> {
        let fields = "id,street_address,city,state_province,postal_code,country,site,tenant";
        self.list_as(&objects_path(ADDRESS), &[("fields", fields)], &address).await?.readable()
    }

    /// Reads the ranges of a config's registered nets inside which prefixes may be reassigned without asking.
    pub async fn auto_reassigned(&self, config: RowId) -> Result<Vec<NetBlock>, Error> {
        let fields = "id,key,config,net_name,status,net_type,cidrs,start_address,end_address,parent_handle,organization,\
                      registration_date,auto_reassign";
        let read = |row: Row| {
            let chosen = typed::<AutoReassign>(&row)?.auto_reassign.unwrap_or_default();
            Ok((chosen, network(row)?))
        };
        let query = [("fields", fields), ("config_id", &config.to_string())];
        let rows = self.list_as(&objects_path(NETWORK), &query, &read).await?.all()?;
        let nets = rows.into_iter().filter(|(chosen, net)| *chosen && net.registered && net.config == Some(config));
        Ok(nets.flat_map(|(_, net)| net.blocks).collect())
    }

    /// Reads all change requests.
    pub async fn change_requests(&self) -> Result<Vec<ChangeRequestRow>, Error> {
        let fields = [("fields", "id,config,summary,operation,state,range,network")];
        self.list_where(&objects_path(CHANGE_REQUEST), &fields, |_: &ChangeRequestRow| true).await?.all()
    }

    /// Reads all tickets.
    pub async fn tickets(&self) -> Result<Vec<TicketRow>, Error> {
        let fields = [("fields", "id,number,status,resolution,change_request,created_at,updated_at,waiting_for_us")];
        self.list_where(&objects_path(TICKET), &fields, |_: &TicketRow| true).await?.all()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn net(cidrs: &str, (first, last): (&str, &str)) -> Result<NetworkRow, serde_json::Error> {
        let row: Value = json!({
            "id": 7, "key": "arin:NET-1", "config": { "id": 1 }, "net_name": "SAMPLE", "status": { "value": "registered" },
            "net_type": "S", "cidrs": cidrs, "start_address": first, "end_address": last, "parent_handle": "NET-2",
            "organization": null, "registration_date": "2026-01-31",
        });
        network(row.as_object().unwrap().clone())
    }

    fn told(cidrs: &str) -> String {
        let blocks = net(cidrs, ("", "")).unwrap().blocks;
        blocks.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn prefixes_that_follow_each_other_are_one_block() {
        insta::assert_snapshot!(told("192.0.2.0/25, 192.0.2.128/26"), @"192.0.2.0 - 192.0.2.191");
        insta::assert_snapshot!(
            told("198.51.100.0/24, 192.0.2.0/24, 192.0.3.0/24"),
            @"192.0.2.0 - 192.0.3.255; 198.51.100.0 - 198.51.100.255"
        );
        insta::assert_snapshot!(told("2001:db8::/48"), @"2001:db8:: - 2001:db8:0:ffff:ffff:ffff:ffff:ffff");
    }

    #[test]
    fn a_net_has_a_range_of_one_sort_or_is_an_error() {
        let net_row = net("", ("192.0.2.0", "192.0.2.7")).unwrap();
        assert_eq!(net_row.blocks[0].to_string(), "192.0.2.0 - 192.0.2.7");
        assert!(net_row.registered && net_row.config == Some(RowId(1)));
        assert!(net("", ("", "")).unwrap_err().to_string().contains("cidrs"));
    }

    #[test]
    fn a_change_request_has_a_range_that_can_be_read_or_none() {
        let read = |range: Value| {
            let row = json!({
                "id": 1, "config": 1, "summary": "s", "operation": { "value": "remove-network" }, "state": "waiting",
                "range": range, "network": null,
            });
            typed::<ChangeRequestRow>(row.as_object().unwrap())
        };
        let range = read(json!("192.0.2.0 - 192.0.2.255")).unwrap().range.unwrap();
        assert_eq!(range.to_string(), "192.0.2.0 - 192.0.2.255");
        assert_eq!(read(json!("192.0.2.0/24")).unwrap().range, Some(range));
        assert_eq!(read(json!(null)).unwrap().range, None);
        assert!(read(json!("192.0.2.0")).unwrap_err().to_string().contains("range"));
    }
}
