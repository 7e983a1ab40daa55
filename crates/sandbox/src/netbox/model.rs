//! The kinds of objects a server knows: NetBox's own, and the custom object types made from them.

use serde_json::{Map, Value, json};

use super::field::{Choices, Field, Kind, OnDelete};

pub(super) const RIRS: &str = "ipam/rirs";
pub(super) const AGGREGATES: &str = "ipam/aggregates";
pub(super) const PREFIXES: &str = "ipam/prefixes";
pub(super) const VRFS: &str = "ipam/vrfs";
pub(super) const CHOICE_SETS: &str = "extras/custom-field-choice-sets";
/// Where the plugin's endpoints are.
pub(super) const PLUGIN: &str = "plugins/custom-objects";
pub(super) const WEBHOOKS: &str = "extras/webhooks";
pub(super) const EVENT_RULES: &str = "extras/event-rules";
const CUSTOM_LINKS: &str = "extras/custom-links";
const TENANTS: &str = "tenancy/tenants";
const CONTACTS: &str = "tenancy/contacts";
const SITES: &str = "dcim/sites";

const PREFIX_STATUS: &[&str] = &["active", "container", "reserved", "deprecated"];
const EVENTS: &[&str] = &[
    "object_created",
    "object_updated",
    "object_deleted",
    "job_started",
    "job_completed",
    "job_failed",
    "job_errored",
];
const SITE_STATUS: &[&str] = &["active", "planned", "staging", "decommissioning", "retired"];

/// One kind of objects.
#[derive(Debug, Clone)]
pub(super) struct Model {
    /// The path of its list after `/api/`, without slashes at the ends.
    pub(super) endpoint: String,
    /// How a schema document names it: `ipam/aggregate`, `custom-objects/<slug>`.
    pub(super) reference: String,
    /// How the change log and custom links name it: `ipam.aggregate`, `netbox_custom_objects.table1model`.
    pub(super) object_type: String,
    /// How a 404 names it.
    pub(super) class: String,
    /// How a person names one.
    pub(super) title: String,
    pub(super) fields: Vec<Field>,
    /// What every answer holds besides the fields.
    pub(super) constants: Map<String, Value>,
    /// What a brief answer holds besides `id`, `url` and `display`.
    pub(super) brief: &'static [&'static str],
    /// The fields lists are ordered by; by id when empty.
    pub(super) order: &'static [&'static str],
    /// The field an object is displayed by.
    pub(super) primary: Option<String>,
    /// Whether it is a custom object type.
    pub(super) custom: bool,
}

impl Model {
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    fn core(endpoint: &str, reference: &str, class: &str, title: &str, fields: Vec<Field>) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            reference: reference.to_owned(),
            object_type: reference.replace('/', "."),
            class: class.to_owned(),
            title: title.to_owned(),
            fields,
            constants: object(json!({ "owner": null, "tags": [], "custom_fields": {} })),
            brief: &["name", "slug", "description"],
            order: &["name"],
            primary: Some("name".to_owned()),
            custom: false,
        }
    }

    fn brief(self, brief: &'static [&'static str]) -> Self {
        Self { brief, ..self }
    }

    fn order(self, order: &'static [&'static str]) -> Self {
        Self { order, ..self }
    }

    fn primary(self, primary: &str) -> Self {
        Self { primary: Some(primary.to_owned()), ..self }
    }

    fn with(mut self, constants: Value) -> Self {
        self.constants.extend(object(constants));
        self
    }

    fn without(mut self, constants: &[&str]) -> Self {
        self.constants.retain(|name, _| !constants.contains(&name.as_str()));
        self
    }
}

/// NetBox's own models, as far as anything here touches them.
pub(super) fn core() -> Vec<Model> {
    let extras = [choice_sets(), custom_links(), webhooks(), event_rules()];
    let others = [rirs(), aggregates(), prefixes(), vrfs(), tenants(), contacts(), sites()];
    extras.into_iter().chain(others).collect()
}

fn named() -> Vec<Field> {
    vec![
        Field::text("name").required().unique(),
        Field::new("slug", Kind::Slug).required().unique(),
        Field::text("description"),
        Field::text("comments"),
    ]
}

fn rirs() -> Model {
    let fields = [named(), vec![Field::new("is_private", Kind::Boolean)]].concat();
    Model::core(RIRS, "ipam/rir", "RIR", "RIR", fields)
}

fn aggregates() -> Model {
    let fields = vec![
        Field::new("prefix", Kind::Cidr).required(),
        Field::link("rir", RIRS, OnDelete::Protect).required(),
        Field::link("tenant", TENANTS, OnDelete::Protect),
        Field::new("date_added", Kind::Date),
        Field::text("description"),
        Field::text("comments"),
    ];
    Model::core(AGGREGATES, "ipam/aggregate", "Aggregate", "aggregate", fields)
        .brief(&["family", "prefix", "description"])
        .order(&["prefix"])
        .primary("prefix")
}

fn prefixes() -> Model {
    let fields = vec![
        Field::new("prefix", Kind::Cidr).required(),
        Field::link("vrf", VRFS, OnDelete::Protect),
        Field::link("tenant", TENANTS, OnDelete::Protect),
        Field::new("status", Kind::Select(Choices::Fixed(PREFIX_STATUS))).default("active"),
        Field::new("is_pool", Kind::Boolean),
        Field::new("mark_utilized", Kind::Boolean),
        Field::text("description"),
        Field::text("comments"),
    ];
    Model::core(PREFIXES, "ipam/prefix", "Prefix", "prefix", fields)
        .brief(&["family", "prefix", "description", "_depth"])
        .order(&["vrf", "prefix"])
        .primary("prefix")
        .with(json!({ "scope_type": null, "scope_id": null, "scope": null, "vlan": null, "role": null }))
        .with(json!({ "children": 0, "_depth": 0 }))
}

fn vrfs() -> Model {
    let fields = vec![
        Field::text("name").required(),
        Field::text("rd").nullable().unique(),
        Field::link("tenant", TENANTS, OnDelete::Protect),
        Field::new("enforce_unique", Kind::Boolean).default(true),
        Field::text("description"),
        Field::text("comments"),
    ];
    Model::core(VRFS, "ipam/vrf", "VRF", "VRF", fields)
        .brief(&["name", "rd", "description"])
        .order(&["name", "rd"])
        .with(json!({ "import_targets": [], "export_targets": [] }))
}

fn choice_sets() -> Model {
    let fields = vec![
        Field::text("name").required().unique(),
        Field::text("description"),
        Field::new("base_choices", Kind::Select(Choices::Fixed(&["IATA", "ISO_3166", "UN_LOCODE"]))),
        Field::new("extra_choices", Kind::Pairs).required(),
        Field::new("choice_colors", Kind::Json).default(json!({})),
        Field::new("order_alphabetically", Kind::Boolean),
    ];
    Model::core(CHOICE_SETS, "extras/customfieldchoiceset", "CustomFieldChoiceSet", "custom field choice set", fields)
        .brief(&["name", "description", "choices_count"])
        .without(&["tags", "custom_fields"])
}

fn custom_links() -> Model {
    let fields = vec![
        Field::new("object_types", Kind::TypeNames).required(),
        Field::text("name").required().unique(),
        Field::new("enabled", Kind::Boolean).default(true),
        Field::text("link_text").required(),
        Field::text("link_url").required(),
        Field::new("weight", Kind::Integer { min: Some(0), max: Some(32767) }).default(100),
        Field::text("group_name"),
        Field::text("button_class").default("default"),
        Field::new("new_window", Kind::Boolean),
    ];
    Model::core(CUSTOM_LINKS, "extras/customlink", "CustomLink", "custom link", fields)
        .brief(&["name"])
        .order(&["group_name", "weight", "name"])
        .without(&["tags", "custom_fields"])
}

fn webhooks() -> Model {
    let fields = vec![
        Field::text("name").required().unique(),
        Field::text("description"),
        Field::text("payload_url").required(),
        Field::text("http_method").default("POST"),
        Field::text("http_content_type").default("application/json"),
        Field::text("additional_headers"),
        Field::text("body_template"),
        Field::text("secret"),
        Field::new("ssl_verification", Kind::Boolean).default(true),
        Field::text("ca_file_path").nullable(),
    ];
    Model::core(WEBHOOKS, "extras/webhook", "Webhook", "webhook", fields).brief(&["name", "description"])
}

fn event_rules() -> Model {
    let fields = vec![
        Field::new("object_types", Kind::TypeNames).required(),
        Field::text("name").required().unique(),
        Field::new("enabled", Kind::Boolean).default(true),
        Field::new("event_types", Kind::Words(EVENTS)).required(),
        Field::new("conditions", Kind::Json),
        Field::new("action_type", Kind::Select(Choices::Fixed(&["webhook", "script", "notification"]))).required(),
        Field::text("action_object_type").nullable(),
        Field::new("action_object_id", Kind::Integer { min: None, max: None }),
        Field::text("description"),
    ];
    Model::core(EVENT_RULES, "extras/eventrule", "EventRule", "event rule", fields).brief(&["name", "description"])
}

fn tenants() -> Model {
    Model::core(TENANTS, "tenancy/tenant", "Tenant", "tenant", named()).with(json!({ "group": null }))
}

fn contacts() -> Model {
    let more = ["title", "phone", "email", "address", "link", "description", "comments"];
    let fields = [vec![Field::text("name").required()], more.map(Field::text).to_vec()].concat();
    Model::core(CONTACTS, "tenancy/contact", "Contact", "contact", fields)
        .brief(&["name", "description"])
        .with(json!({ "groups": [] }))
}

fn sites() -> Model {
    let more = vec![
        Field::new("status", Kind::Select(Choices::Fixed(SITE_STATUS))).default("active"),
        Field::link("tenant", TENANTS, OnDelete::Protect),
        Field::text("facility"),
        Field::text("physical_address"),
        Field::text("shipping_address"),
    ];
    Model::core(SITES, "dcim/site", "Site", "site", [named(), more].concat())
        .with(json!({ "region": null, "group": null, "time_zone": null, "latitude": null, "longitude": null }))
        .with(json!({ "asns": [] }))
}

/// The members of a JSON object; none for anything else.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}
