//! Each bug that can be seeded is found.

use std::panic::catch_unwind;

use super::*;

/// Runs a test that must fail while a rule is broken on this thread.
fn finds(bug: Bug, test: fn()) {
    test();
    SEEDED.set(Some(bug));
    let outcome = catch_unwind(test);
    SEEDED.set(None);
    assert!(outcome.is_err(), "{bug:?} is not found");
}

#[test]
fn a_stale_generation_done_again_is_found() {
    finds(Bug::StaleGenerationReplayed, crate::log::tests::nothing_of_another_generation_or_base_is_read);
    finds(Bug::StaleGenerationReplayed, crate::durable::tests::what_follows_a_filling_of_the_log_is_not_undone);
}

#[test]
fn a_generation_that_is_not_raised_is_found() {
    finds(Bug::GenerationKept, crate::log::tests::nothing_of_another_generation_or_base_is_read);
    finds(Bug::GenerationKept, crate::durable::tests::an_older_database_beside_a_newer_log_is_refused);
}

#[test]
fn damage_taken_for_a_torn_tail_is_found() {
    finds(Bug::DamageIsTail, crate::log::tests::a_bad_record_before_a_good_one_is_damage);
}

#[test]
fn an_answer_without_a_record_is_found() {
    finds(Bug::AnsweredWithoutLog, crate::durable::tests::what_was_committed_is_there_at_the_next_opening);
}
