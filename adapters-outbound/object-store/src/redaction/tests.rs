use super::*;

#[test]
fn users_and_passwords_of_urls_are_hidden_wherever_they_stand() {
    for (text, expected) in [
        ("http://user:secret@host:9000/path", "http://(hidden)@host:9000/path"),
        ("`https://secret@host`; see http://other/a@b", "`https://(hidden)@host`; see http://other/a@b"),
        ("at s3://a:b@c@d/ and s3://e:f@g", "at s3://(hidden)@d/ and s3://(hidden)@g"),
        ("{ url: http://u:p@h, more: x }", "{ url: http://(hidden)@h, more: x }"),
        ("http://u:p/a?b#c,d@host/x", "http://(hidden)@host/x"),
        ("ends://", "ends://"),
        ("://@", "://(hidden)@"),
    ] {
        assert_eq!(without_passwords(text), expected);
    }
}

#[test]
fn texts_without_passwords_stay_as_they_are() {
    for text in ["", "nothing", "a@b.c", "http://host/a:b@c", "käse://straße", "http://[::1]/@x", "http://h:80/@x"] {
        assert_eq!(without_passwords(text), text);
    }
}
