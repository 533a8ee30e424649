use super::*;

#[test]
fn each_procedure_is_found_by_its_number() {
    for number in 0..22 {
        assert_eq!(Procedure::of(number).map(|procedure| procedure as u32), Some(number));
    }
    assert_eq!(Procedure::of(22), None);
}
