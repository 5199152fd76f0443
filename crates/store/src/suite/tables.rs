//! What every implementation of [`Tables`] does: the cases, one function each, over an empty database of their own.
//!
//! A database crate's `tests/it/main.rs` says how such a database is made, and `tables_suite!` makes a test of every case.
//! To add a case: write the function in one of the modules below, and name it in the macro.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "cases are tests: a failure is a panic")]

mod isolation;
mod keys;
mod logs;
mod order;
mod rows;
mod sample;

use std::sync::Arc;

use names::Workspace;

use crate::{
    Tables,
    tables::{Read, TablesError, Write},
};

pub use self::{isolation::*, keys::*, logs::*, order::*, rows::*};

/// An empty database of one case, its migrations run. Dropped, it is gone.
#[async_trait::async_trait]
pub trait Home: Send + Sync + 'static {
    /// The tables under test.
    fn tables(&self) -> Arc<dyn Tables>;
    /// Runs one statement past the tables, as a stray hand would. An error is the database's message.
    async fn tamper(&self, statement: &'static str) -> Result<(), String>;
}

/// Makes a test of every case. `$home` is an `async fn(case: &'static str) -> Option<impl Home>`; none where the database
/// is not to be had on this machine, which it has noted then.
#[macro_export]
macro_rules! tables_suite {
    ($home:path) => {
        $crate::tables_suite!(
            $home:
            a_new_database_holds_nothing,
            rows_come_back_as_they_were_put,
            odd_texts_come_back_byte_for_byte,
            a_put_of_the_same_key_updates,
            what_is_deleted_takes_its_parts_along,
            what_is_not_there_is_not_deleted,
            a_definition_in_use_stays,
            rows_that_refer_to_nothing_are_refused,
            values_out_of_range_are_refused,
            a_nul_is_refused,
            mappings_are_found_by_everything_they_hang_on,
            a_taken_key_says_which,
            an_update_cannot_take_a_key_either,
            of_many_creates_of_one_name_one_wins,
            workspaces_do_not_see_each_other,
            lists_are_in_order_of_time_then_bytes,
            keys_are_in_order_of_bytes,
            mappings_are_in_order_of_creation,
            a_transaction_that_is_dropped_leaves_nothing,
            a_transaction_that_failed_leaves_nothing,
            a_call_that_is_cancelled_leaves_nothing,
            a_snapshot_does_not_move,
            a_reader_does_not_wait_for_a_writer,
            writers_take_turns,
            a_commit_wakes,
            closed_tables_are_not_available,
            the_change_log_is_read_in_order,
            the_change_log_is_trimmed_to_its_floor,
            the_change_log_refuses_changes,
            the_audit_log_counts_without_gaps,
            the_audit_log_refuses_changes,
            watchers_are_noted_and_forgotten,
        );
    };
    ($home:path: $($case:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(home) = $home(stringify!($case)).await {
                    $crate::suite::tables::$case(&home).await;
                }
            }
        )*
    };
}

/// The workspace that cases use where they use one.
fn workspace() -> Workspace {
    Workspace::default()
}

async fn reader(home: &impl Home) -> Box<dyn Read> {
    home.tables().read(&workspace()).await.unwrap()
}

async fn writer(home: &impl Home) -> Box<dyn Write> {
    home.tables().write(&workspace()).await.unwrap()
}

#[track_caller]
fn assert_defect<T: std::fmt::Debug>(answer: Result<T, TablesError>) {
    let error = answer.unwrap_err();
    assert!(matches!(error, TablesError::Defect(_)), "{error:?}");
}
