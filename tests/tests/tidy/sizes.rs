//! Files and functions stay short enough to be read as a whole.

use crate::assert_none;
use crate::sources::{SOURCES, line_at, positions};

const FILE_LINES_MAX: usize = 600;
/// A file that is longer is an exception, and there may be few of them.
const FILE_LINES_USUAL: usize = 450;
const LONG_FILES_MAX: usize = 8;
const FUNCTION_LINES_MAX: usize = 70;

#[test]
fn files_are_short() {
    let mut too_long = Vec::new();
    let mut long = Vec::new();
    for source in SOURCES.iter() {
        let lines = source.lines();
        let listed = format!("{}: {lines} lines", source.path);
        if lines > FILE_LINES_MAX {
            too_long.push(listed);
        } else if lines > FILE_LINES_USUAL && !source.is_test() {
            long.push(listed);
        }
    }
    assert_none(&format!("files of more than {FILE_LINES_MAX} lines"), &too_long);
    if long.len() > LONG_FILES_MAX {
        assert_none(&format!("more than {LONG_FILES_MAX} files of over {FILE_LINES_USUAL} lines"), &long);
    }
}

#[test]
fn functions_are_short() {
    let mut found = Vec::new();
    for source in SOURCES.iter().filter(|source| !source.is_test()) {
        for function in functions(&source.code).iter().filter(|function| function.lines > FUNCTION_LINES_MAX) {
            let Function { name, line, lines } = function;
            found.push(format!("{}:{line}: fn {name} has {lines} lines", source.path));
        }
    }
    assert_none(&format!("functions of more than {FUNCTION_LINES_MAX} lines"), &found);
}

#[derive(Debug, PartialEq)]
struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// Every function with a body, from its `fn` to its closing brace.
fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for at in positions(code, "fn") {
        let rest = code[at + 2..].trim_start();
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        // A pointer type `fn(…)`, or a name that a macro fills in.
        if name.is_empty() {
            continue;
        }
        if let Some(end) = body_end(code, at) {
            let line = line_at(code, at);
            found.push(Function { name, line, lines: line_at(code, end) - line + 1 });
        }
    }
    found
}

/// Where the body of the function at `start` ends; none if it is only declared.
fn body_end(code: &str, start: usize) -> Option<usize> {
    let mut nested = 0;
    let mut braces = 0;
    for (at, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => nested += 1,
            b')' | b']' => nested -= 1,
            b';' if nested == 0 && braces == 0 => return None,
            b'{' => braces += 1,
            b'}' => {
                braces -= 1;
                if braces == 0 && nested == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[test]
fn functions_are_measured_from_fn_to_brace() {
    let code =
        "trait T {\n fn declared(&self, a: [u8; 4]);\n}\nfn one() {}\nfn two(x: fn(u8)) -> u8 {\n if x {\n }\n}\n";
    let expected =
        [Function { name: "one".into(), line: 4, lines: 1 }, Function { name: "two".into(), line: 5, lines: 4 }];
    assert_eq!(functions(code), expected);
}
