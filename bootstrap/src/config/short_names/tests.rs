use super::*;

#[test]
fn names_that_windows_takes_are_taken() {
    for name in ["export", "Projects 2026", "Größe", "a.b", "hidden$", "d'Artagnan", &"x".repeat(80), &"文".repeat(80)]
    {
        assert_eq!(fault_of(name), None, "{name}");
    }
}

#[test]
fn names_that_windows_refuses_are_refused() {
    let long = ["x".repeat(81), "🦀".repeat(41)];
    let of_characters = REFUSED.chars().map(|c| format!("a{c}b"));
    let words = ["", " a", "a ", "a.", "a\tb", "a\u{7f}", "IPC$", "ipc$", "Pipe", "MAILSLOT"].map(str::to_owned);
    for name in long.into_iter().chain(of_characters).chain(words) {
        assert!(fault_of(&name).is_some(), "{name}");
    }
}
