//! Methods that the traits of ports may not have.

use crate::assert_none;
use crate::sources::{SOURCES, Source, line_at, positions};

/// Where the traits are.
const PORTS: &str = "ports/src";

/// Methods of traits that have a body, as `line: name`.
fn default_methods(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for at in positions(code, "trait") {
        let Some(open) = code[at..].find('{').map(|length| at + length) else { continue };
        let body = open + 1..open + length_of_block(&code[open..]);
        for method in positions(&code[body.clone()], "fn") {
            let rest = &code[body.start + method..body.end];
            let name: String =
                rest[2..].trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if has_body(rest) {
                found.push(format!("{}: {name}", line_at(code, body.start + method)));
            }
        }
    }
    found
}

/// Whether a function that the code begins with has a body. The `;` of an array's type in its signature ends nothing.
fn has_body(code: &str) -> bool {
    let mut depth = 0usize;
    for c in code.chars() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            '{' | ';' if depth == 0 => return c == '{',
            _ => {}
        }
    }
    false
}

/// The length of a block, whose opening brace the code begins with.
fn length_of_block(code: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// A decorator that forgets a method would get what the port says, not what the store does that it decorates.
#[test]
fn ports_have_no_default_methods() {
    let ports = SOURCES.iter().filter(|source| source.is_below(PORTS) && !source.is_test());
    let in_file = |source: &Source| {
        let path = source.path.clone();
        default_methods(&source.code).into_iter().map(move |method| format!("{path}:{method}")).collect::<Vec<_>>()
    };
    assert_none("default methods of ports", &ports.flat_map(in_file).collect::<Vec<_>>());
}

#[test]
fn a_planted_default_method_is_found() {
    let code =
        "trait Port: Send {\n fn a(&self) -> [u8; 4];\n fn b(&self);\n}\nimpl Port for () {\n fn b(&self) {}\n}\n";
    assert!(default_methods(code).is_empty());
    for signature in ["fn b(&self)", "async fn b(&self) -> [u8; 4]\n where Self: Sized"] {
        let planted = code.replace("fn b(&self);", &format!("{signature} {{\n self.a();\n }}"));
        assert_eq!(default_methods(&planted), ["3: b"], "{signature}");
    }
}
