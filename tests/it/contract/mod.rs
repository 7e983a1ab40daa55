//! The behaviour that the sidecar relies on in NetBox's REST interface and that of its Custom Objects plugin, quirks included.
//!
//! One suite, two targets: [`sandbox`] runs it against the in-memory NetBox, `lab::contract` against a real one. A
//! quirk stands here first, is seen to hold on the real one, and is then copied. Nothing of the product is used to ask.
//! A case about something that no client sends is no part of it.
//!
//! Cases share one NetBox in the lab and run side by side: names carry [`Target::run`], and lists are asked for
//! such names only.

use reqwest::{Method, StatusCode, header::HeaderMap};
use rir_sandbox::netbox::{Options, Server, TOKEN, TOKEN_V1};
use serde_json::{Value, json};

pub(crate) mod access;
pub(crate) mod bulk;
pub(crate) mod changes;
pub(crate) mod extras;
pub(crate) mod filters;
pub(crate) mod ipam;
pub(crate) mod links;
pub(crate) mod lists;
pub(crate) mod objects;
mod people;
pub(crate) mod plan;
pub(crate) mod schema;
mod things;

/// Makes a test of each case, against what `$target` starts.
macro_rules! contract {
    ($target:path) => {
        $crate::contract::contract! { $target =>
            access: a_v2_token_is_taken_as_bearer, a_v1_token_is_taken_as_token, a_wrong_token_is_forbidden,
                no_token_is_forbidden, a_user_without_permissions_may_do_nothing,
                a_user_sees_and_changes_what_was_granted, whether_one_may_change_is_told_before_the_condition,
                a_token_that_was_taken_away_is_forbidden, a_token_that_is_restricted_says_how,
                a_token_that_may_only_read_is_shown_to_its_user, the_status_tells_versions, an_unknown_path_is_an_html_page;
            ipam: an_aggregate_nests_its_rir, aggregates_that_overlap_are_refused, a_prefix_nests_its_vrf, within_include_finds_the_range_and_what_is_inside,
                contains_finds_the_range_and_what_is_around_it,
                rir_id_finds_the_aggregates_of_a_rir, a_rir_says_whether_it_is_private, several_ids_are_alternatives;
            lists: a_page_is_cut_at_its_limit_and_begins_at_its_offset, a_page_past_the_end_is_empty,
                fields_choose_what_is_answered, a_list_is_ordered_by_id_from_either_end;
            objects: an_object_is_answered_with_all_its_fields, what_is_not_sent_is_null_or_its_default,
                values_are_brought_into_one_form, links_are_taken_as_ids_and_answered_nested,
                links_that_lead_nowhere_are_refused, a_list_of_links_is_replaced_and_emptied,
                fields_that_do_not_exist_are_ignored, values_that_do_not_fit_are_refused_by_field,
                a_required_field_has_to_be_sent_and_to_hold_something, null_empties_all_but_required_fields,
                a_duplicate_key_is_a_500, a_null_character_is_refused_in_text_and_breaks_json,
                there_is_no_limit_to_text, what_is_not_there_is_404, a_patch_that_changes_nothing_is_not_logged,
                the_message_of_a_change_is_kept, an_object_has_an_etag_that_its_last_change_tells,
                a_change_on_the_condition_of_an_etag_is_made_once, options_name_the_fields_of_a_new_one;
            bulk: rows_are_created_in_order, refused_rows_are_named_by_index_and_none_is_written,
                a_duplicate_is_a_500_without_an_index_and_none_is_written, rows_are_updated_and_answered_by_id,
                refused_updates_are_named_by_id_and_none_is_written, rows_that_are_not_there_are_named_by_id,
                rows_are_deleted_all_or_none, an_empty_list_is_fine, each_row_may_bring_a_message;
            filters: text_is_matched_whole_or_in_part_as_the_field_says, long_text_is_found_by_a_part_of_it, filters_that_do_not_exist_are_ignored,
                a_link_is_found_by_id, a_selection_is_found_by_its_choice, times_are_compared, ids_are_compared;
            schema: a_preview_takes_the_bare_document_and_apply_the_wrapped_one, applying_twice_changes_nothing,
                what_does_not_exist_cannot_be_referred_to, a_new_field_gives_old_rows_its_default,
                a_renamed_field_keeps_its_values, a_field_is_dropped_only_when_allowed,
                a_field_left_out_is_warned_about_and_kept, a_field_cannot_become_unique_over_duplicates,
                a_new_required_field_blocks_updates_of_old_rows, values_are_cast_to_a_new_type_or_it_is_refused,
                types_tell_what_event_rules_call_them, a_type_can_be_saved_as_it_is;
            links: deleting_an_aggregate_empties_links_to_it, deleting_what_is_in_a_list_takes_it_out;
            changes: the_change_log_is_read_by_type_from_one_id_to_the_next, a_change_tells_who_when_and_what,
                the_change_log_is_found_by_time, the_changes_of_several_objects_are_asked_for_at_once,
                a_deletion_is_found_by_its_action, the_oldest_change_comes_first_by_time,
                a_snapshot_has_ids_codes_and_names_of_tags;
            plan: a_prefix_tells_whose_it_is_and_where, an_aggregate_nests_its_tenant,
                a_tenant_tells_its_group_and_tags, a_tenant_group_nests_the_one_around_it,
                a_location_nests_its_site_and_a_site_its_tenant, custom_fields_are_answered_set_or_not,
                what_leads_to_asns_has_their_numbers,
                several_slugs_are_alternatives, several_names_of_vrfs_are_alternatives;
            extras: a_choice_set_is_found_by_name, a_choice_that_is_added_can_be_chosen, a_custom_link_is_found_by_name,
                a_webhook_is_found_by_name_with_its_secret, an_event_rule_calls_a_webhook;
        }
    };
    ($target:path => $($module:ident: $($case:ident),+;)+) => {
        $(mod $module {
            $(#[tokio::test]
            async fn $case() {
                let target = $target().await;
                $crate::contract::$module::$case(&target).await;
            })+
        })+
    };
}
pub(crate) use contract;

mod sandbox {
    super::contract!(crate::contract::Target::sandbox);
}

/// A NetBox to ask.
pub(crate) struct Target {
    url: String,
    tokens: Tokens,
    /// The ending that makes the names of this case unique: a few lower-case letters and digits.
    run: String,
    client: reqwest::Client,
    /// The in-memory one, if it is that.
    server: Option<Server>,
}

/// The users as whom one may ask.
pub(crate) struct Tokens {
    /// A superuser's, of the second version.
    pub(crate) v2: String,
    /// The same one's, of the first version.
    pub(crate) v1: String,
    /// Of somebody without permissions.
    pub(crate) reader: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    /// The body; null when it is not JSON.
    body: Value,
}

impl Target {
    pub(crate) fn new(url: String, tokens: Tokens, server: Option<Server>) -> Self {
        // Another test may have been first; any provider will do, as nothing is encrypted here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let redirect = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().redirect(redirect).build().unwrap();
        // It begins with a letter, so that there is one to write in upper case.
        let run = format!("r{:07x}", fastrand::u32(..1 << 28));
        Self { url, tokens, run, client, server }
    }

    pub(crate) async fn sandbox() -> Self {
        let server = Server::start(Options::default()).await.unwrap();
        let reader = server.add_user("reader", Vec::new());
        let tokens = Tokens { v2: TOKEN.to_owned(), v1: TOKEN_V1.to_owned(), reader };
        Self::new(server.url(), tokens, Some(server))
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[]).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body), &[]).await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body), &[]).await
    }

    async fn delete(&self, path: &str, body: Option<Value>) -> Answer {
        self.send(Method::DELETE, path, body, &[]).await
    }

    /// Creates one object and returns its id.
    async fn made(&self, path: &str, body: Value) -> u64 {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{path}: {}", answer.body);
        answer.body["id"].as_u64().unwrap()
    }

    /// Asks; the shared types are made when they are first missed.
    async fn send(&self, method: Method, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Answer {
        let answer = self.exchange(method.clone(), path, body.as_ref(), headers).await;
        if !things::missed(path, &answer) {
            return answer;
        }
        Box::pin(self.share()).await;
        self.exchange(method, path, body.as_ref(), headers).await
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<&Value>, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", format!("Bearer {}", self.tokens.v2));
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null);
        Answer { status, headers, body }
    }

    /// A RIR of this case's own.
    async fn rir(&self) -> u64 {
        let name = format!("rir-{}-{}", self.run, fastrand::u16(..));
        self.made("/api/ipam/rirs/", json!({ "name": name, "slug": name })).await
    }

    /// An aggregate of this case's own.
    async fn aggregate(&self, rir: u64) -> u64 {
        self.made("/api/ipam/aggregates/", json!({ "prefix": format!("{}/64", network()), "rir": rir })).await
    }
}

impl Answer {
    /// Asserts the status and returns the body.
    fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Of the objects of a list, one field each.
    fn column(self, field: &str) -> Vec<Value> {
        let body = self.expect(200);
        body["results"].as_array().unwrap().iter().map(|row| row[field].clone()).collect()
    }
}

/// The address of a /64 of documentation space that nobody else uses, probably.
fn network() -> String {
    let [a, b] = [fastrand::u16(4096..), fastrand::u16(4096..)];
    format!("2001:db8:{a:x}:{b:x}::")
}
