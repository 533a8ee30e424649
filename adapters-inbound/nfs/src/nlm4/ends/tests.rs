use super::*;

fn same(one: &'static str, other: &'static str) -> bool {
    is_same_name(&Bytes::from_static(one.as_bytes()), &Bytes::from_static(other.as_bytes()))
}

#[test]
fn a_name_may_have_its_domain_or_not() {
    assert!(same("pc", "PC") && same("pc", "pc.example.org") && same("pc.example.org", "Pc"));
    assert!(same("pc.example.org", "PC.example.org"));
    for (one, other) in [("pc", "pc2"), ("pc.a", "pc.b"), ("pc", ""), ("pc.a", "other")] {
        assert!(!same(one, other), "{one} {other}");
    }
}
