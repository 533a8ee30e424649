use super::*;

/// The results of a command that occurred, how many latencies were noted, and how many requests of it run.
fn counts(fronts: &[Arc<CommandCounts>], procedure: &str) -> (Vec<(&'static str, u64)>, u64, u64) {
    let (operations, in_flight) = sum(fronts);
    let operation = operations.into_iter().find(|operation| operation.procedure == procedure).unwrap();
    let running = in_flight.iter().find(|(name, _)| *name == procedure).unwrap().1;
    let occurred = operation.results.into_iter().filter(|(_, count)| *count > 0).collect();
    (occurred, operation.latencies.count(), running)
}

#[test]
fn success_comes_first_and_no_name_stands_for_two() {
    assert_eq!(NtStatus::NAMED.first().unwrap().0, NtStatus::SUCCESS);
    let mut names: Vec<&str> = sum(&[]).0[0].results.iter().map(|(name, _)| *name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn each_request_of_a_frame_is_counted_by_its_own_status_until_its_answer_has_left() {
    let fronts = [Arc::default(), Arc::default()];
    let mut requests = Requests::new(&fronts[0], [Command::CREATE, Command::CLOSE, Command(0x77)]);
    let mut others = Requests::new(&fronts[1], [Command::CREATE]);
    assert_eq!(counts(&fronts, "CREATE"), (vec![], 0, 2));
    requests.answered(NtStatus::OBJECT_NAME_NOT_FOUND);
    requests.answered(NtStatus(0xC123_4567));
    requests.answered(NtStatus::INVALID_PARAMETER);
    others.answered(NtStatus::SUCCESS);
    assert_eq!(counts(&fronts, "CREATE"), (vec![("OK", 1), ("OBJECT_NAME_NOT_FOUND", 1)], 0, 2));
    drop((requests, others));
    assert_eq!(counts(&fronts, "CREATE"), (vec![("OK", 1), ("OBJECT_NAME_NOT_FOUND", 1)], 2, 0));
    assert_eq!(counts(&fronts, "CLOSE"), (vec![("OTHER", 1)], 1, 0));
    assert_eq!(counts(&fronts, "UNKNOWN"), (vec![("INVALID_PARAMETER", 1)], 1, 0));
}

#[test]
fn what_a_lost_connection_has_asked_for_runs_no_longer_and_has_no_result() {
    let fronts = [Arc::default()];
    let mut requests = Requests::new(&fronts[0], [Command::READ, Command::READ]);
    requests.answered(NtStatus::SUCCESS);
    drop(requests);
    assert_eq!(counts(&fronts, "READ"), (vec![("OK", 1)], 1, 0));
}

#[test]
fn a_cancel_has_no_answer_and_takes_none_from_others() {
    let fronts = [Arc::default()];
    let mut requests = Requests::new(&fronts[0], [Command::CANCEL, Command::ECHO]);
    requests.answered(NtStatus::SUCCESS);
    drop(requests);
    assert_eq!(counts(&fronts, "CANCEL"), (vec![("OK", 1)], 0, 0));
    assert_eq!(counts(&fronts, "ECHO"), (vec![("OK", 1)], 1, 0));
}
