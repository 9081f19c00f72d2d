//! How long a pattern may take, from its text alone.
//!
//! JavaScript matches by trying. Every repetition without an end is a choice among as many
//! lengths as the text has, every other choice a fixed factor; the product bounds the steps, and
//! so the text. A repeated group could choose anew each time it comes round, which is
//! exponential: it may hold one repetition, beside a character that nothing else in it matches.

use super::bounds::{PATTERN_LENGTH, PATTERN_STEPS, PATTERN_TEXT_MAX, PATTERN_TEXT_MIN};

/// Copies of a part that a counted repetition may ask for.
const COPIES_MAX: u32 = 1_000;
/// Groups within each other.
const NESTING_MAX: u32 = 16;

/// The characters of the longest text that a pattern may be matched with.
pub(super) fn text_max(pattern: &str) -> Result<usize, String> {
    if pattern.chars().count() > PATTERN_LENGTH {
        return Err(format!(
            "its pattern is longer than {PATTERN_LENGTH} characters"
        ));
    }
    let mut parser = Parser {
        rest: pattern.chars().collect::<Vec<_>>().into_iter().peekable(),
        nesting: 0,
    };
    let whole = parser.choice()?;
    if parser.rest.peek().is_some() {
        return Err("its pattern has a ) without a (".to_owned());
    }
    // Without a ^ every place of the text is a beginning.
    let is_anchored = pattern.starts_with('^') && whole.branches == 1;
    let degree = whole.degree.saturating_add(u32::from(!is_anchored));
    let fits = |length: usize| steps(length, degree, whole.factor) <= PATTERN_STEPS;
    if !fits(PATTERN_TEXT_MIN) {
        return Err("its pattern could be matched in too many ways".to_owned());
    }
    let (mut fit, mut unfit) = (PATTERN_TEXT_MIN, PATTERN_TEXT_MAX.saturating_add(1));
    while unfit - fit > 1 {
        let middle = fit.midpoint(unfit);
        if fits(middle) {
            fit = middle;
        } else {
            unfit = middle;
        }
    }
    Ok(fit)
}

/// Ways to cut a text of this length at `degree` places, times the fixed choices.
fn steps(length: usize, degree: u32, factor: u128) -> u128 {
    let length = u128::try_from(length).unwrap_or(u128::MAX);
    (1..=u128::from(degree.min(64))).fold(factor, |ways, at| {
        ways.saturating_mul(length.saturating_add(at)) / at
    })
}

/// A part of a pattern.
#[derive(Clone, Debug)]
struct Part {
    /// Repetitions without an end that follow each other.
    degree: u32,
    /// Every other choice, multiplied.
    factor: u128,
    /// Alternatives at its top.
    branches: usize,
    /// Whether it can match nothing.
    is_nullable: bool,
    /// The sets of characters that it matches one after the other; `None` beside alternatives
    /// and groups within.
    sets: Option<Vec<Set>>,
}

/// One character of a pattern, perhaps repeated.
#[derive(Clone, Debug)]
struct Set {
    ranges: Vec<(char, char)>,
    /// Also something that is not looked into: a class such as `\p{L}`.
    is_open: bool,
    is_negated: bool,
    is_repeated: bool,
}

impl Set {
    fn of(character: char) -> Self {
        Self {
            ranges: vec![(character, character)],
            is_open: false,
            is_negated: false,
            is_repeated: false,
        }
    }

    fn open() -> Self {
        Self {
            ranges: Vec::new(),
            is_open: true,
            is_negated: false,
            is_repeated: false,
        }
    }

    fn has(&self, character: char) -> bool {
        let is_within = |range: &(char, char)| (range.0..=range.1).contains(&character);
        self.is_open || self.ranges.iter().any(is_within) != self.is_negated
    }

    fn is_plain(&self) -> bool {
        !self.is_open && !self.is_negated && !self.is_repeated
    }

    fn single(&self) -> Option<char> {
        match self.ranges.as_slice() {
            [(first, last)] if first == last && self.is_plain() => Some(*first),
            _ => None,
        }
    }
}

impl Part {
    fn empty() -> Self {
        Self {
            degree: 0,
            factor: 1,
            branches: 1,
            is_nullable: true,
            sets: Some(Vec::new()),
        }
    }

    fn then(mut self, next: Self) -> Self {
        self.degree = self.degree.saturating_add(next.degree);
        self.factor = self.factor.saturating_mul(next.factor);
        self.is_nullable &= next.is_nullable;
        self.sets = match (self.sets, next.sets) {
            (Some(mut all), Some(more)) => {
                all.extend(more);
                Some(all)
            }
            _ => None,
        };
        self
    }

    /// Whether it can come round in one way only.
    fn is_plain(&self) -> bool {
        let Some(sets) = &self.sets else { return false };
        let repeated = sets.iter().filter(|set| set.is_repeated).count();
        if repeated == 0 {
            return self.factor == 1 && !self.is_nullable;
        }
        let is_mark = |at: usize| {
            let mark = sets.get(at).and_then(Set::single);
            let others = sets.iter().enumerate().filter(|(other, _)| *other != at);
            mark.is_some_and(|mark| others.into_iter().all(|(_, set)| !set.has(mark)))
        };
        repeated == 1 && (is_mark(0) || is_mark(sets.len().saturating_sub(1)))
    }

    /// The part between `least` and `most` times, or without an end.
    fn repeat(mut self, least: u32, most: Option<u32>, is_group: bool) -> Result<Self, String> {
        let is_one = !is_group;
        let is_fixed = most == Some(least);
        self.is_nullable |= least == 0;
        if let Some(sets) = self.sets.as_mut().filter(|_| is_one && !is_fixed) {
            sets.iter_mut().for_each(|set| set.is_repeated = true);
        } else if !is_one && !is_fixed {
            self.sets = None;
        }
        let Some(most) = most else {
            // A group that comes round in one way only has no choice but when to end.
            self.degree = 1;
            return Ok(self);
        };
        if most > COPIES_MAX {
            return Err(format!(
                "its pattern repeats a part more than {COPIES_MAX} times"
            ));
        }
        if !is_one && most > 1 {
            self.degree = self.degree.saturating_mul(most);
            self.factor = self.factor.saturating_pow(most);
            self.sets = None;
        }
        let lengths = u128::from(most.saturating_sub(least)).saturating_add(1);
        self.factor = self.factor.saturating_mul(lengths);
        Ok(self)
    }
}

struct Parser {
    rest: std::iter::Peekable<std::vec::IntoIter<char>>,
    nesting: u32,
}

impl Parser {
    fn choice(&mut self) -> Result<Part, String> {
        let mut all = self.sequence()?;
        while self.rest.next_if_eq(&'|').is_some() {
            let next = self.sequence()?;
            all.branches += 1;
            all.degree = all.degree.max(next.degree);
            all.factor = all.factor.saturating_add(next.factor);
            all.is_nullable |= next.is_nullable;
            all.sets = None;
        }
        Ok(all)
    }

    fn sequence(&mut self) -> Result<Part, String> {
        let mut all = Part::empty();
        while let Some(next) = self.rest.next_if(|it| !matches!(it, '|' | ')')) {
            let (part, is_group) = match next {
                '^' | '$' => continue,
                '(' => (self.group()?, true),
                '[' => (one(self.class()?), false),
                '.' => (one(Set::open()), false),
                '\\' => match self.escape()? {
                    Some(set) => (one(set), false),
                    None => continue,
                },
                other => (one(Set::of(other)), false),
            };
            let part = match self.count()? {
                None => part,
                Some((_, None)) if is_group && !part.is_plain() => {
                    return Err(
                        "its pattern repeats a group that could match in several ways; \
                                separate its parts by a character of their own"
                            .to_owned(),
                    );
                }
                Some((least, most)) => part.repeat(least, most, is_group)?,
            };
            all = all.then(part);
        }
        Ok(all)
    }

    fn group(&mut self) -> Result<Part, String> {
        self.nesting += 1;
        if self.nesting > NESTING_MAX {
            return Err(format!(
                "its pattern has more than {NESTING_MAX} groups in each other"
            ));
        }
        if self.rest.next_if_eq(&'?').is_some() {
            match self.rest.next() {
                Some(':' | '=' | '!') => {}
                Some('<') if !matches!(self.rest.peek(), Some('=' | '!')) => {
                    while self.rest.next().is_some_and(|it| it != '>') {}
                }
                _ => return Err("its pattern looks behind or sets flags, which is refused".into()),
            }
        }
        let inside = self.choice()?;
        self.nesting -= 1;
        match self.rest.next() {
            Some(')') => Ok(inside),
            _ => Err("its pattern has a ( without a )".to_owned()),
        }
    }

    fn class(&mut self) -> Result<Set, String> {
        let mut set = Set::of('\0');
        set.ranges.clear();
        set.is_negated = self.rest.next_if_eq(&'^').is_some();
        let mut before: Option<char> = None;
        while let Some(next) = self.rest.next() {
            let single = match next {
                ']' => return Ok(set),
                '\\' => match self.escape()? {
                    Some(inner) => {
                        set.is_open |= inner.is_open;
                        set.ranges.extend(&inner.ranges);
                        inner.single()
                    }
                    None => None,
                },
                '-' if before.is_some() && self.rest.peek() != Some(&']') => {
                    let last = match self.rest.next() {
                        Some('\\') => self.escape()?.and_then(|inner| inner.single()),
                        other => other,
                    };
                    if let (Some(first), Some(last)) = (before, last) {
                        set.ranges.push((first, last));
                    } else {
                        set.is_open = true;
                    }
                    None
                }
                other => {
                    set.ranges.push((other, other));
                    Some(other)
                }
            };
            before = single;
        }
        Err("its pattern has a [ without a ]".to_owned())
    }

    /// After a backslash; nothing for a place between characters.
    fn escape(&mut self) -> Result<Option<Set>, String> {
        let next = self.rest.next();
        Ok(Some(match next.ok_or("its pattern ends with a \\")? {
            'b' | 'B' => return Ok(None),
            '1'..='9' | 'k' => {
                return Err("its pattern refers to what a group matched, which is refused".into());
            }
            'd' => Set {
                ranges: vec![('0', '9')],
                ..Set::open()
            }
            .closed(),
            'w' => Set {
                ranges: vec![('0', '9'), ('a', 'z'), ('A', 'Z'), ('_', '_')],
                ..Set::open()
            }
            .closed(),
            // Sets and codes that are not looked into.
            'p' | 'P' => {
                self.braces();
                Set::open()
            }
            'u' | 'x' | 'c' => {
                if self.rest.peek() == Some(&'{') {
                    self.braces();
                }
                Set::open()
            }
            'D' | 'W' | 's' | 'S' | 'n' | 'r' | 't' | 'v' | 'f' | '0' => Set::open(),
            other => Set::of(other),
        }))
    }

    fn braces(&mut self) {
        if self.rest.next_if_eq(&'{').is_some() {
            while self.rest.next().is_some_and(|it| it != '}') {}
        }
    }

    /// A repetition: the least and the most.
    fn count(&mut self) -> Result<Option<(u32, Option<u32>)>, String> {
        let found = match self.rest.next_if(|it| matches!(it, '*' | '+' | '?' | '{')) {
            None => return Ok(None),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some(_) => {
                let mut text = String::new();
                while let Some(next) = self.rest.next_if(|it| *it != '}') {
                    text.push(next);
                }
                self.rest.next();
                let wrong = |_| format!("its pattern has {{{text}}}, which is no repetition");
                match text.split_once(',') {
                    None => {
                        let times = text.parse().map_err(wrong)?;
                        (times, Some(times))
                    }
                    Some((least, "")) => (least.parse().map_err(wrong)?, None),
                    Some((least, most)) => {
                        let most = most.parse().map_err(wrong)?;
                        (least.parse().map_err(wrong)?, Some(most))
                    }
                }
            }
        };
        self.rest.next_if_eq(&'?');
        Ok(Some(found))
    }
}

impl Set {
    fn closed(mut self) -> Self {
        self.is_open = false;
        self
    }
}

fn one(set: Set) -> Part {
    Part {
        is_nullable: false,
        sets: Some(vec![set]),
        ..Part::empty()
    }
}
