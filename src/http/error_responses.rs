//! The error responses of the calls, for the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{ContentBuilder, Header, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, schema::Type},
};

use super::problem::MEDIA_TYPE;

type Responses = BTreeMap<String, RefOr<Response>>;

/// Makes a type that stands for these responses in the description of a call.
macro_rules! error_responses {
    ($(#[doc = $doc:literal])+ $name:ident $(with $more:ident)? { $($status:literal => $text:literal),+ $(,)? }) => {
        $(#[doc = $doc])+
        pub(super) struct $name;

        impl IntoResponses for $name {
            fn responses() -> Responses {
                let own = [$(problem_response($status, $text)),+].into_iter();
                own$(.chain($more::responses()))?.collect()
            }
        }
    };
}

error_responses! {
    /// The errors of any call of the API.
    ApiErrors {
        400 => "The request is invalid",
        401 => "No token, or one that NetBox does not know",
        429 => "Too many requests or event streams of yours, or too many tokens from this address that NetBox does not know",
        500 => "Something went wrong here",
        503 => "NetBox or the queue cannot be reached, or there is too much to do just now",
        504 => "The request took too long",
    }
}

error_responses! {
    /// The errors of any POST of the API.
    PostErrors with ApiErrors {
        408 => "The body took too long to arrive",
        409 => "It is not possible now: `type` says why; or a request with the same idempotency key is under way",
        413 => "The body is too large",
        415 => "The body is not JSON",
        422 => "The idempotency key was used for another request",
    }
}

error_responses! {
    /// The error of a call about one thing.
    NotFound { 404 => "There is none that you may view" }
}

error_responses! {
    /// The error of a call that does something with one thing.
    NotPermitted { 403 => "NetBox does not let you change the RIR config that it is about" }
}

error_responses! {
    /// The error of a call that reads the sync log.
    LogNotPermitted { 403 => "NetBox does not let you view the sync log" }
}

error_responses! {
    /// The error of a call that reads the findings.
    FindingsNotPermitted { 403 => "NetBox does not let you view the findings" }
}

error_responses! {
    /// The error of a call about change requests.
    RequestNotPermitted { 403 => "NetBox does not let you do this with change requests, or it is for somebody else to do" }
}

error_responses! {
    /// The error of a call about the mirrors of routing registries.
    MirrorsNotPermitted { 403 => "NetBox does not let you view or change all RIR configs, which each mirror serves" }
}

error_responses! {
    /// The error of a call about a prefix.
    NoPrefix { 422 => "That is no prefix" }
}

error_responses! {
    /// The error of a call about how a prefix stands.
    NotJudged { 404 => "It was not judged" }
}

error_responses! {
    /// The error of a call about how prefixes stand.
    HealthNotPermitted { 403 => "NetBox does not let you view RIR prefix health" }
}

error_responses! {
    /// The error of a call about one source of a routing registry.
    NoSource { 404 => "The settings name no such source" }
}

error_responses! {
    /// The error of a call that comes too late for a job.
    JobOver { 409 => "It is over" }
}

error_responses! {
    /// The error of a call for a plan that there will not be.
    PlanFailed { 409 => "The job that was to make it failed or was cancelled" }
}

error_responses! {
    /// The errors of a webhook.
    WebhookErrors {
        400 => "It is not what NetBox sends",
        401 => "The signature is missing or wrong",
        403 => "NetBox did not make it within the last five minutes",
        408 => "The body took too long to arrive",
        413 => "The body is too large",
        503 => "The queue did not take it, or there is too much to do just now",
        504 => "It took too long",
    }
}

error_responses! {
    /// The errors of the readiness probe.
    ReadinessErrors {
        503 => "The queue or NetBox does not answer, or the service is going away",
        504 => "It took too long",
    }
}

error_responses! {
    /// The errors of the metrics.
    MetricsErrors {
        500 => "Something went wrong here",
        504 => "It took too long",
    }
}

/// Describes a response whose body is a problem.
fn problem_response(status: u16, text: &str) -> (String, RefOr<Response>) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let mut response = ResponseBuilder::new().description(text).content(MEDIA_TYPE, content);
    if matches!(status, 429 | 503) {
        response = response.header("Retry-After", header("Seconds to wait before trying again", Type::Integer));
    }
    if status == 401 {
        response = response.header("WWW-Authenticate", header("What is accepted", Type::String));
    }
    (status.to_string(), RefOr::T(response.build()))
}

fn header(about: &str, kind: Type) -> Header {
    let mut header = Header::new(ObjectBuilder::new().schema_type(kind));
    header.description = Some(about.to_owned());
    header
}
