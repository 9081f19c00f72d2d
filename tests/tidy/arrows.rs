//! Which file of `src` imports which: read from paths in the text, so that an arrow is a line that
//! somebody can see.

use std::collections::{BTreeMap, BTreeSet};

/// The arrows from each module, by their paths: `session::turns::lease`.
pub(crate) struct Arrows(BTreeMap<String, BTreeSet<String>>);

impl Arrows {
    /// From files by their names, `src/session/mod.rs`, and what is in them.
    pub(crate) fn read<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let files: Vec<(String, &str)> = files.map(|(name, text)| (module(name), text)).collect();
        let modules: BTreeSet<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        let arrows = files.iter().map(|(name, text)| {
            let code = code(text);
            let children = children(name, &code);
            let paths = paths(&code).into_iter();
            let found = paths.filter_map(|path| resolve(name, &path, &children, &modules));
            (name.clone(), found.filter(|to| to != name).collect())
        });
        Self(arrows.collect())
    }

    /// All of them, from and to.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let from = self.0.iter();
        from.flat_map(|(from, to)| to.iter().map(move |to| (from.as_str(), to.as_str())))
    }

    /// The ways on which a module leads back to itself, one for each that has any.
    pub(crate) fn circles(&self) -> Vec<String> {
        let mut circles = Vec::new();
        let mut done = BTreeSet::new();
        for start in self.0.keys() {
            if !done.contains(start)
                && let Some(way) = self.way_back(start)
            {
                circles.push(format!("{} → {start}", way.join(" → ")));
                done.extend(way);
            }
        }
        circles
    }

    /// The shortest way from a module to itself.
    fn way_back(&self, start: &str) -> Option<Vec<String>> {
        let mut ways = vec![vec![start.to_owned()]];
        let mut seen = BTreeSet::new();
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                for next in self.0.get(way.last()?).into_iter().flatten() {
                    if next == start {
                        return Some(way);
                    }
                    if seen.insert(next) {
                        longer.push([way.clone(), vec![next.clone()]].concat());
                    }
                }
            }
            ways = longer;
        }
        None
    }
}

/// The path of the module that a file is.
fn module(name: &str) -> String {
    let name = name.strip_prefix("src/").unwrap_or(name);
    let name = name.strip_suffix(".rs").unwrap_or(name);
    let name = name.strip_suffix("/mod").unwrap_or(name);
    name.replace('/', "::")
}

/// A file without its comments, its texts and its tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or(line));
    let code = lines.collect::<Vec<_>>().join("\n");
    // A visibility is no arrow.
    code.replace("pub(in crate::", "pub(in ")
}

/// The modules that a file declares.
fn children(module: &str, code: &str) -> BTreeMap<String, String> {
    let declared = code.lines().filter_map(|line| {
        let (_, name) = line.trim().strip_suffix(';')?.rsplit_once("mod ")?;
        let path = if module == "lib" {
            name.to_owned()
        } else {
            format!("{module}::{name}")
        };
        Some((name.to_owned(), path))
    });
    declared.collect()
}

/// Every path in the code, those in braces one by one.
fn paths(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut before: Vec<String> = Vec::new();
    let mut path = String::new();
    let mut characters = code.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '{' if path.ends_with("::") => before.push(std::mem::take(&mut path)),
            ',' | '}' if !before.is_empty() => {
                if !path.is_empty() {
                    paths.push(format!("{}{path}", before.concat()));
                    path.clear();
                }
                if character == '}' {
                    before.pop();
                }
            }
            _ if character.is_alphanumeric() || character == '_' => path.push(character),
            ':' if characters.peek() == Some(&':') => {
                characters.next();
                path.push_str("::");
            }
            _ if character.is_whitespace() && !before.is_empty() => {}
            _ => {
                if path.contains("::") && before.is_empty() {
                    paths.push(std::mem::take(&mut path));
                }
                path.clear();
            }
        }
    }
    paths
}

/// The module that a path of another leads to.
fn resolve(
    from: &str,
    path: &str,
    children: &BTreeMap<String, String>,
    modules: &BTreeSet<&str>,
) -> Option<String> {
    let mut steps = path.split("::").peekable();
    let mut at: Vec<&str> = match steps.next()? {
        "crate" => Vec::new(),
        "self" => from.split("::").collect(),
        "super" => {
            let mut at: Vec<&str> = from.split("::").collect();
            at.pop();
            while steps.next_if_eq(&"super").is_some() {
                at.pop();
            }
            at
        }
        child => children.get(child)?.split("::").collect(),
    };
    let mut found = None;
    loop {
        let name = at.join("::");
        if modules.contains(name.as_str()) {
            found = Some(name);
        }
        let Some(step) = steps.next() else { break };
        at.push(step);
    }
    found
}
