//! What every implementation of the store's seams must do, as tests.
//!
//! Two suites. `tables_suite!` is about one implementation of [`Tables`] alone. `store_suite!` is about a whole store over
//! it, reached through [`Admin`], [`Catalog`] and [`Vault`] only, so that it holds for a store behind a wire as well.
//!
//! An implementation has `store = { workspace = true, features = ["suite"] }` and `tokio` in its dev-dependencies, and in
//! its `tests/it/main.rs`:
//!
//! ```text
//! // A database crate: an empty database of one case, or none where there is no such database on this machine.
//! async fn home(case: &'static str) -> Option<impl store::suite::tables::Home> { … }
//!
//! mod tables {
//!     store::tables_suite!(super::home);
//! }
//! mod whole {
//!     store::store_suite!(super::home);
//! }
//!
//! // A crate that puts a store behind something: over tables in memory, and how the store is reached.
//! async fn behind_a_wire(store: store::Store) -> store::suite::Seams { … }
//!
//! store::store_suite!(store::suite::memory::home, behind_a_wire);
//! ```
//!
//! Every case becomes a test of its own. To add a case: write it in a module below, and name it in the macro.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "cases are tests: a failure is a panic")]

pub mod admin;
pub mod audit;
pub mod client_keys;
pub mod endpoints;
pub mod history;
pub mod memory;
pub mod opening;
pub mod order;
pub mod tables;
pub mod watch;

mod given;

use std::{
    any::Any,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use seal::{Kek, KekId, Keyring};

use crate::{
    Admin, ApiBasePolicy, Callers, Catalog, Clock, OpenError, Parts, Settings, Store, System, Tables, Vault,
    tables::AuditRow,
};

use self::tables::Home;

/// A store, as an implementation reaches it.
pub struct Seams {
    /// What admins may do.
    pub admin: Arc<dyn Admin>,
    /// What edges watch.
    pub catalog: Arc<dyn Catalog>,
    /// What forwarders watch.
    pub vault: Arc<dyn Vault>,
    /// What edges check callers with.
    pub callers: Arc<dyn Callers>,
    /// What has to live as long as they do, e.g. a server.
    pub guard: Box<dyn Any + Send + Sync>,
}

/// The store itself.
#[expect(clippy::unused_async, reason = "stands where others need to wait")]
pub async fn in_process(store: Store) -> Seams {
    let store = Arc::new(store);
    Seams {
        admin: store.clone(),
        catalog: store.clone(),
        vault: store.clone(),
        callers: store,
        guard: Box::new(()),
    }
}

/// How a store is reached.
pub type Reach = Box<dyn Fn(Store) -> Pin<Box<dyn Future<Output = Seams> + Send>> + Send + Sync>;

/// What one case has: an empty database, and a way to open stores over it.
pub struct House {
    tables: Arc<dyn Tables>,
    clock: Arc<Ticking>,
    reach: Reach,
    _home: Box<dyn Any + Send + Sync>,
}

/// An open store: reached through its seams, and looked into past them.
pub struct Opened {
    store: Store,
    seams: Seams,
}

impl House {
    /// A house around an empty database.
    pub fn new(home: impl Home, reach: Reach) -> Self {
        Self { tables: home.tables(), clock: Arc::default(), reach, _home: Box::new(home) }
    }

    async fn open(&self) -> Opened {
        self.open_with(Settings::default()).await
    }

    async fn open_with(&self, settings: Settings) -> Opened {
        let store = self.try_open(keyring(1), settings).await.unwrap();
        Opened { seams: (self.reach)(store.clone()).await, store }
    }

    async fn try_open(&self, keyring: Keyring, settings: Settings) -> Result<Store, OpenError> {
        let parts = Parts {
            tables: Arc::clone(&self.tables),
            keyring,
            policy: Arc::new(HttpsOnly),
            clock: self.clock.clone(),
            entropy: Arc::new(System),
        };
        Store::open(parts, settings).await
    }
}

impl Opened {
    /// The audit rows of changes: hand-overs of secrets have a case of their own.
    async fn audit(&self) -> Vec<AuditRow> {
        let mut rows = self.store.audit_since(0, 10_000).await.unwrap();
        rows.retain(|row| row.action != "secret.handover");
        rows
    }
}

/// The key of this number, and nothing else.
fn keyring(number: u8) -> Keyring {
    Keyring::new(kek(number))
}

fn kek(number: u8) -> Kek {
    let mut bytes = [7; 32];
    bytes[0] = number;
    Kek::from_bytes(KekId::parse(&format!("k202611-{number}")).unwrap(), &bytes).unwrap()
}

/// A clock that moves by a millisecond whenever somebody looks: no two times are the same.
#[derive(Debug)]
struct Ticking(AtomicI64);

impl Default for Ticking {
    fn default() -> Self {
        Self(AtomicI64::new(1_764_000_000_000))
    }
}

impl Clock for Ticking {
    fn now_ms(&self) -> i64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// Any host, over https.
struct HttpsOnly;

#[async_trait::async_trait]
impl ApiBasePolicy for HttpsOnly {
    async fn allowed_hosts(&self, api_base: &str) -> Result<Vec<String>, String> {
        let rest = api_base.strip_prefix("https://").ok_or("Allowed schemes are: 'https'.")?;
        Ok(vec![rest.split(['/', ':']).next().unwrap_or_default().to_ascii_lowercase()])
    }
}

/// Makes a test of every case over `$home` (see `tables_suite!`), the store reached by `$reach`: an
/// `async fn(Store) -> Seams`; in this process where none is given.
#[macro_export]
macro_rules! store_suite {
    ($home:path) => {
        $crate::store_suite!($home, $crate::suite::in_process);
    };
    ($home:path, $reach:path) => {
        $crate::store_suite! {
            $home, $reach:
            admin::a_secret_is_masked,
            admin::a_secret_has_rules,
            admin::an_update_of_a_secret_replaces_its_value_as_a_whole,
            admin::an_api_base_needs_the_key_again,
            admin::a_deleted_secret_leaves_its_definitions,
            admin::a_definition_has_the_provider_of_its_secret,
            admin::a_definition_in_use_is_not_deleted,
            admin::names_are_unique,
            admin::what_is_not_there_is_not_found,
            admin::lists_are_in_order_of_creation,
            admin::bindings,
            admin::tags,
            admin::experiments,
            audit::the_audit_log_is_read_and_verified,
            client_keys::a_client_key_is_shown_once,
            client_keys::key_material_is_made_once,
            client_keys::a_client_key_has_rules,
            client_keys::a_client_key_is_changed,
            client_keys::a_rotated_client_key_overlaps,
            client_keys::a_revoked_client_key_stays_revoked,
            client_keys::a_follower_knows_of_a_revocation_when_its_answer_comes,
            client_keys::changes_of_keys_and_tags_are_pushed,
            endpoints::an_endpoint_needs_a_primary_and_weights,
            endpoints::several_primaries_share_the_traffic,
            endpoints::mappings_are_in_order,
            endpoints::an_update_of_models_keeps_the_fallback_config,
            endpoints::an_attached_fallback_is_effective,
            endpoints::a_detach_removes_every_mapping,
            endpoints::an_endpoint_is_renamed,
            endpoints::usage_tracking_makes_or_reuses_its_experiment,
            history::of_fifty_creates_of_one_name_one_wins,
            history::commit_order_is_revision_order,
            history::every_change_has_its_audit_row,
            history::a_refused_change_leaves_nothing,
            opening::a_new_database_takes_the_key_it_is_opened_with,
            opening::a_wrong_key_is_refused_and_nothing_is_changed,
            opening::a_newly_made_key_is_refused,
            opening::a_second_key_is_taken_beside_the_first,
            opening::a_restore_draws_a_new_epoch,
            watch::a_new_watcher_gets_a_snapshot_in_parts,
            watch::one_that_knows_gets_what_changed,
            watch::a_large_delta_comes_in_pieces,
            watch::one_too_far_behind_gets_a_snapshot,
            watch::another_epoch_brings_a_snapshot,
            watch::heartbeats_tell_the_number_of_items,
            watch::a_watcher_that_cannot_be_is_refused,
            watch::a_forwarder_opens_its_own_secrets_only,
            watch::a_forwarder_of_several_gets_what_it_names,
            watch::a_new_value_reaches_the_forwarder,
            watch::a_deleted_secret_takes_its_targets_away,
            watch::a_secret_that_does_not_open_is_left_out,
            watch::a_handover_is_in_the_audit_log,
            watch::a_follower_holds_a_change_when_its_answer_comes,
            watch::a_follower_that_drifted_takes_a_snapshot,
            order::a_create_waits_for_live_watchers,
            order::who_has_not_applied_is_named,
            order::a_goodbye_is_not_waited_for,
            order::watchers_of_other_replicas_are_waited_for,
            order::forwarders_learn_of_a_target_before_edges,
            order::edges_leave_a_target_before_forwarders,
            order::the_wait_for_order_is_bounded,
        }
    };
    ($home:path, $reach:path: $($module:ident::$case:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(home) = $home(stringify!($case)).await {
                    let reach = Box::new(|store| -> std::pin::Pin<Box<dyn Future<Output = _> + Send>> {
                        Box::pin($reach(store))
                    });
                    let house = $crate::suite::House::new(home, reach);
                    $crate::suite::$module::$case(house).await;
                }
            }
        )*
    };
}
