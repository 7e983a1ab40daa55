//! The OpenAPI document, and the page that shows it. Both are in the binary, and load nothing from elsewhere.

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Bytes,
    http::{
        HeaderName, HeaderValue,
        header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::map_response,
    response::{IntoResponse, Response},
};
use utoipa::{
    IntoParams, Modify, OpenApi,
    openapi::{
        self,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{app::App, problem};

/// Lets the page load only what comes from here. Swagger UI sets styles on its elements.
const CONTENT_POLICY: &str =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/// The parts of the document besides the calls.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "netbox-rir-sidecar",
        description = "Keeps NetBox in step with what is registered at an RIR.\n\n\
            Callers bring their NetBox token. What they may view and sync follows their permissions on the RIR configs in \
            NetBox: viewing needs `view`, syncing needs `change`. Errors are problem details (RFC 9457); their `type` never \
            changes. A POST with an `Idempotency-Key` is done once, and answered in the same way for 24 hours.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "This service")),
    security(("netbox_token_v2" = []), ("netbox_token_v1" = [])),
    modifiers(&Schemes),
    tags(
        (name = "configs", description = "RIR configs, and who may do what with them"),
        (name = "syncs", description = "Asking for syncs, and for previews of them"),
        (name = "jobs", description = "What was asked for, and how far it is"),
        (name = "requests", description = "Changes at ARIN: asked for, approved by somebody else, sent once, and followed"),
        (name = "findings", description = "Where the address plan and the registry differ, and by when that has to be put right"),
        (name = "irr", description = "The mirrors of routing registries, which belong to no RIR config and serve all of them: viewing \
            them needs `view`, and updating them `change`, on all RIR configs"),
        (name = "sync-logs", description = "What syncs did"),
        (name = "webhooks", description = "What NetBox tells"),
        (name = "health", description = "Whether the service lives and works, and this document"),
    )
)]
pub(super) struct Document;

/// Adds the ways to authenticate, and the schema of problems.
struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let v2 = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        let v2 = v2.description(Some("NetBox API token, version 2: `Authorization: Bearer nbt_...`")).build();
        let v1 = ApiKeyValue::with_description("Authorization", "NetBox API token, version 1: `Token` and the token");
        let signature = "HMAC-SHA512 of the body with `webhook.secret`, in hex; NetBox makes it";
        let signature = ApiKeyValue::with_description("X-Hook-Signature", signature);
        components.add_security_scheme("netbox_token_v2", SecurityScheme::Http(v2));
        components.add_security_scheme("netbox_token_v1", SecurityScheme::ApiKey(ApiKey::Header(v1)));
        components.add_security_scheme("netbox_webhook", SecurityScheme::ApiKey(ApiKey::Header(signature)));
        components.schemas.extend([problem::schema()]);
    }
}

/// The header that makes a POST safe to send again.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it is for the document; `idempotency` reads the header")]
pub(super) struct IdempotencyKey {
    /// A word of the client's choice. The same request with the same word is done once in 24 hours.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[!-~]([ -~]*[!-~])?$")]
    key: Option<String>,
}

/// The document as it is sent. All answers share one copy, however slowly they are read.
#[derive(Debug, Clone)]
pub(super) struct DocumentText(pub(super) Bytes);

/// Returns this document.
#[utoipa::path(get, path = "/openapi.json", tag = "health", operation_id = "show_openapi", security(()),
    responses((status = 200, description = "The OpenAPI document", body = Object)))]
pub(super) async fn show_openapi(Extension(document): Extension<DocumentText>) -> Response {
    ([(CONTENT_TYPE, "application/json")], document.0).into_response()
}

/// Returns the page that shows the document, at `/docs/`.
pub(super) fn page() -> Router<Arc<App>> {
    // A badge would ask a server on the internet about the document.
    let config = Config::from("../openapi.json").validator_url("none").use_base_layout().display_request_duration(true);
    Router::from(SwaggerUi::new("/docs").config(config)).layer(map_response(restrict))
}

async fn restrict(mut response: Response) -> Response {
    let headers: [(HeaderName, &str); 2] =
        [(CONTENT_SECURITY_POLICY, CONTENT_POLICY), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
