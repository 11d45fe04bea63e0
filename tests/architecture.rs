//! The arrows of the house. Who breaks one finds out here, with the sentence that says which.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Core's modules: each may use those in lines above its own. Clients and rooms know each other, and observers see both, so
/// they share one.
const LEVELS: [&[&str]; 10] = [
    &["message"],
    &["client", "room", "observer"],
    &["reply"],
    &["extract"],
    &["guard", "filter"],
    &["handler"],
    &["gateway"],
    &["adapter"],
    &["serve"],
    &["memory"],
];

/// Modules that all may use, and what they may use themselves.
const FOR_ALL: [(&str, &[&str]); 4] = [
    ("error", &[]),
    ("stats", &[]),
    // The bounds of decoding are among the bounds.
    ("limits", &["message"]),
    // A caught panic becomes a refusal.
    ("panic", &["reply"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The packages of the workspace by their folder: what each depends on of our own, with the kind.
fn packages() -> BTreeMap<String, Vec<(String, bool)>> {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages.map(|package| (folder(&package["manifest_path"]), ours(&package["dependencies"]))).collect()
}

/// The folder of a manifest, seen from the root.
fn folder(manifest: &Value) -> String {
    let folder = Path::new(manifest.as_str().unwrap()).parent().unwrap();
    let folder = folder.strip_prefix(root().canonicalize().unwrap()).unwrap_or(folder);
    folder.to_str().unwrap().to_owned()
}

/// The folders of the packages of our own among some dependencies, and whether they are for tests only.
fn ours(dependencies: &Value) -> Vec<(String, bool)> {
    let dependencies = dependencies.as_array().unwrap().iter();
    let path = |dependency: &Value| {
        let path = dependency["path"].as_str()?;
        Some((folder(&Value::from(format!("{path}/Cargo.toml"))), dependency["kind"] == "dev"))
    };
    dependencies.filter_map(path).collect()
}

fn may_depend(from: &str, to: &str, in_tests: bool) -> bool {
    match from {
        "core" | "xtask" => false,
        // What macros write names the facade, so their tests are its users.
        "macros" => to.is_empty() && in_tests,
        "adapters/http" | "middleware" | "rest" | "tests/conformance" => to == "core",
        adapter if adapter.starts_with("adapters/") => matches!(to, "core" | "adapters/http"),
        // The facade: everything that is not for tests, and the suite for its own tests.
        "" => match to {
            "tests/conformance" => in_tests,
            _ => matches!(to, "core" | "middleware" | "rest" | "macros") || to.starts_with("adapters/"),
        },
        "examples" => to.is_empty(),
        bench if bench == "benches" || bench.starts_with("benches/") => {
            matches!(to, "" | "core" | "benches") || to.starts_with("adapters/")
        }
        _ => false,
    }
}

#[test]
fn packages_depend_on_each_other_in_one_direction() {
    let packages = packages();
    assert!(packages.contains_key("core") && packages.contains_key(""), "{packages:?}");
    for (from, dependencies) in packages {
        for (to, in_tests) in dependencies {
            assert!(may_depend(&from, &to, in_tests), "{from:?} must not depend on {to:?}");
        }
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// A file without its comments: prose may name anything.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules that a file reaches by `crate::`, in paths and in lists of them.
fn reached(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            names.push(first_word(rest));
            continue;
        };
        let (mut depth, mut item) = (1, String::new());
        for c in list.chars() {
            depth += i32::from(c == '{') - i32::from(c == '}');
            if depth == 0 || (depth == 1 && c == ',') {
                names.push(first_word(item.trim()));
                item.clear();
            } else {
                item.push(c);
            }
            if depth == 0 {
                break;
            }
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn level(module: &str) -> Option<usize> {
    LEVELS.iter().position(|level| level.contains(&module))
}

/// The modules of core that one may use.
fn may_use(module: &str, other: &str) -> bool {
    if let Some((_, allowed)) = FOR_ALL.iter().find(|(name, _)| *name == module) {
        return allowed.contains(&other) || FOR_ALL.iter().any(|(name, _)| *name == other);
    }
    let shared = LEVELS[1].contains(&module) && LEVELS[1].contains(&other);
    let above = level(other).zip(level(module)).is_some_and(|(other, module)| other < module);
    other == module || shared || above || FOR_ALL.iter().any(|(name, _)| *name == other)
}

#[test]
fn modules_of_core_use_each_other_in_one_direction() {
    let src = root().join("core/src");
    let mut edges = 0;
    for path in sources(&src) {
        let inside = path.strip_prefix(&src).unwrap();
        let module = first_word(inside.iter().next().unwrap().to_str().unwrap());
        if module == "lib" {
            continue;
        }
        let is_known = level(&module).is_some() || FOR_ALL.iter().any(|(name, _)| *name == module);
        assert!(is_known, "the module {module} has no place among the levels");
        for other in reached(&code(&path)) {
            edges += 1;
            assert!(may_use(&module, &other), "{}: {module} must not use {other}", inside.display());
        }
    }
    assert!(edges > 100, "only {edges} uses were found: the reader of sources is blind");
}

/// The sources of all packages, without tests, and without what was built.
fn all_sources() -> Vec<PathBuf> {
    let packages = packages();
    packages.keys().flat_map(|folder| sources(&root().join(folder).join("src"))).collect()
}

#[test]
fn foreign_transports_are_named_in_one_place() {
    let root = root();
    let naming = |name: &str| -> Vec<String> {
        let found = all_sources().into_iter().filter(|path| code(path).contains(name));
        let mut found: Vec<_> =
            found.map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned()).collect();
        found.dedup();
        found
    };
    let mut named = naming("tungstenite");
    // The benchmarks name what we are compared with.
    let peer = |path: &String| path.starts_with("benches/");
    named.retain(|path| !peer(path));
    assert_eq!(named, ["adapters/socketio/src/websocket.rs", "adapters/ws/src/codec/context.rs"]);
    let elsewhere = naming("socketioxide")
        .into_iter()
        .filter(|path| !path.starts_with("adapters/socketio/") && !peer(path));
    let elsewhere: Vec<_> = elsewhere.collect();
    assert_eq!(elsewhere, [""; 0]);
}

#[test]
fn core_names_no_transport() {
    for path in sources(&root().join("core/src")) {
        let code = code(&path);
        for word in ["hyper::", "tokio::net", "axum", "websocket_"] {
            assert!(!code.contains(word), "{} names {word}", path.display());
        }
    }
}

#[test]
fn the_reader_of_sources_sees_lists_and_paths() {
    let code = "use crate::{\n a::{B, c::D},\n e,\n};\nlet x = crate::f::G; use crate::h;";
    assert_eq!(reached(code), ["a", "e", "f", "h"]);
    assert!(may_use("serve", "gateway") && !may_use("gateway", "serve") && !may_use("error", "client"));
    assert!(may_depend("adapters/ws", "core", false) && !may_depend("adapters/ws", "middleware", false));
}
