//! The kinds of objects a server knows: NetBox's own, and the custom object types made from them.

use serde_json::{Map, Value};

use super::field::{Field, Kind, TAGS_FIELD};

pub(super) const RIRS: &str = "ipam/rirs";
pub(super) const AGGREGATES: &str = "ipam/aggregates";
pub(super) const PREFIXES: &str = "ipam/prefixes";
pub(super) const VRFS: &str = "ipam/vrfs";
pub(super) const TAGS: &str = "extras/tags";
pub(super) const CUSTOM_FIELDS: &str = "extras/custom-fields";
const ROLES: &str = "ipam/roles";
pub(super) const TENANTS: &str = "tenancy/tenants";
const TENANT_GROUPS: &str = "tenancy/tenant-groups";
const SITES: &str = "dcim/sites";
/// The statuses of a prefix.
const PREFIX_STATUSES: &[&str] = &["container", "active", "reserved", "deprecated"];
pub(super) const CHOICE_SETS: &str = "extras/custom-field-choice-sets";
/// The path below which the plugin's endpoints are.
pub(super) const PLUGIN: &str = "plugins/custom-objects";

/// One kind of objects.
#[derive(Debug, Clone)]
pub(super) struct Model {
    /// The path of its list after `/api/`, without slashes at the ends.
    pub(super) endpoint: String,
    /// The name that a schema document has for it: `ipam/aggregate`, `custom-objects/<slug>`.
    pub(super) reference: String,
    /// The name that the change log and custom links have for it: `ipam.aggregate`,
    /// `netbox_custom_objects.table1model`.
    pub(super) object_type: String,
    pub(super) fields: Vec<Field>,
    /// The field an object is displayed by.
    pub(super) primary: Option<String>,
    /// True for a custom object type.
    pub(super) custom: bool,
}

impl Model {
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// Returns NetBox's own models, as far as anything here touches them.
pub(super) fn core() -> Vec<Model> {
    let name = || Field::text("name").required();
    let slug = || Field::text("slug").required();
    let about = || Field::text("description");
    let prefix = || Field::new("prefix", Kind::Cidr).required();
    let json = |name: &str| Field::new(name, Kind::Json);
    let tags = || Field::new(TAGS_FIELD, Kind::Multiobject(TAGS.to_owned()));
    let custom_fields = |object_type| Field::new("custom_fields", Kind::CustomFields(object_type));
    let tenant = || Field::link("tenant", TENANTS);
    vec![
        model(RIRS, "ipam/rir", vec![name(), slug(), Field::new("is_private", Kind::Boolean), about()]),
        model(AGGREGATES, "ipam/aggregate", vec![prefix(), Field::link("rir", RIRS).required(), tenant(), about()]),
        model(
            PREFIXES,
            "ipam/prefix",
            vec![
                prefix(),
                Field::link("vrf", VRFS),
                tenant(),
                Field::new("status", Kind::Choice(PREFIX_STATUSES)).default("active"),
                Field::link("role", ROLES),
                Field::text("scope_type").default(Value::Null),
                Field::new("scope_id", Kind::Integer { min: None, max: None }),
                about(),
                tags(),
                custom_fields("ipam.prefix"),
            ],
        ),
        model(VRFS, "ipam/vrf", vec![name(), about()]),
        model(ROLES, "ipam/role", vec![name(), slug()]),
        model(
            TENANTS,
            "tenancy/tenant",
            vec![name(), slug(), Field::link("group", TENANT_GROUPS), about(), tags(), custom_fields("tenancy.tenant")],
        ),
        model(TENANT_GROUPS, "tenancy/tenantgroup", vec![name(), slug(), Field::link("parent", TENANT_GROUPS)]),
        model("tenancy/contacts", "tenancy/contact", vec![name()]),
        model(SITES, "dcim/site", vec![name(), slug(), tenant()]),
        model("dcim/locations", "dcim/location", vec![name(), slug(), Field::link("site", SITES).required()]),
        model(TAGS, "extras/tag", vec![name(), slug()]),
        model(
            CUSTOM_FIELDS,
            "extras/customfield",
            vec![json("object_types").required(), name(), Field::new("type", Kind::Select(None)).required()],
        ),
        model(
            CHOICE_SETS,
            "extras/customfieldchoiceset",
            vec![name(), about(), json("extra_choices").required(), json("choice_colors")],
        ),
        model(
            "extras/custom-links",
            "extras/customlink",
            vec![
                json("object_types").required(),
                name(),
                Field::text("link_text").required(),
                Field::text("link_url").required(),
                Field::new("new_window", Kind::Boolean),
            ],
        ),
        model(
            "extras/webhooks",
            "extras/webhook",
            vec![
                name(),
                Field::text("payload_url").required(),
                Field::text("http_method").default("POST"),
                Field::text("http_content_type").default("application/json"),
                Field::text("additional_headers"),
                Field::text("body_template"),
                Field::text("secret"),
                Field::new("ssl_verification", Kind::Boolean).default(true),
                Field::text("ca_file_path").default(Value::Null),
                Field::new("timeout", Kind::Integer { min: Some(1), max: None }),
            ],
        ),
        model("extras/notification-groups", "extras/notificationgroup", vec![name(), about()]),
        model(
            "extras/event-rules",
            "extras/eventrule",
            vec![
                json("object_types").required(),
                name(),
                Field::new("enabled", Kind::Boolean).default(true),
                json("event_types").required(),
                json("conditions"),
                Field::new("action_type", Kind::Select(None)).required(),
                Field::text("action_object_type"),
                Field::new("action_object_id", Kind::Integer { min: None, max: None }),
            ],
        ),
    ]
}

/// A model of NetBox's own, whose objects are displayed by their name or prefix.
fn model(endpoint: &str, reference: &str, fields: Vec<Field>) -> Model {
    let primary = fields.iter().find(|field| field.name == "name" || field.kind == Kind::Cidr);
    Model {
        endpoint: endpoint.to_owned(),
        reference: reference.to_owned(),
        object_type: reference.replace('/', "."),
        primary: primary.map(|field| field.name.clone()),
        fields,
        custom: false,
    }
}

/// Returns the members of a JSON object; none for anything else.
pub(super) fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(members) = value { members } else { Map::new() }
}
