use super::*;

#[test]
fn lines_are_commands_or_nothing() {
    for (line, command) in [
        ("list /e", Some(Command::List(b"/e"))),
        ("read /e/a", Some(Command::Read(b"/e/a"))),
        ("write /e/a two words", Some(Command::Write(b"/e/a", b"two words"))),
        ("write /e/a", Some(Command::Write(b"/e/a", b""))),
        ("list", None),
        ("list e", None),
        ("list /e f", None),
        ("write  /e x", None),
        ("LIST /e", None),
        ("", None),
        (" ", None),
    ] {
        assert_eq!(Command::parse(line.as_bytes()), command, "{line}");
    }
}

#[test]
fn every_command_has_its_word() {
    for word in Command::WORDS {
        let line = format!("{word} /e");
        assert_eq!(Command::WORDS[Command::parse(line.as_bytes()).unwrap().number()], word);
    }
}
