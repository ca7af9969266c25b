//! OData's `$filter`, as far as oCIS acts on any of it: comparisons, `and` and `or`, `startswith`
//! and `contains`, and `any` over what is related.
//!
//! What is read here is a tree of words and texts; what of it means something is decided by the
//! list that is filtered. Parentheses nest up to a bound, and chains do not nest, so no text makes
//! a tree that is too deep to be walked.

use http::StatusCode;
use ocis_core::{Error, Result};

use crate::error::Failure;

/// How deep parentheses, `not` and `any` may nest.
const DEEPEST: usize = 20;

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    /// All of them hold.
    And(Vec<Self>),
    /// One of them holds.
    Or(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// `<left> <operator> <right>`.
    Compare { left: Operand, operator: String, right: Operand },
    /// `<function>(<arguments>)`.
    Call { function: String, arguments: Vec<Operand> },
    /// `<relation>/<operator>(<variable>:<body>)`.
    Lambda { relation: String, operator: String, variable: String, body: Box<Self> },
}

/// A word or a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operand {
    /// A field, an id, a number, `true`.
    Word(String),
    /// A text in single quotes, without them.
    Text(String),
}

impl Operand {
    /// The text, or an id, which need not be quoted.
    pub(crate) fn value(&self) -> &str {
        match self {
            Self::Word(text) | Self::Text(text) => text,
        }
    }

    fn is_field(&self, field: &str) -> bool {
        matches!(self, Self::Word(word) if word == field)
    }
}

impl Filter {
    /// Reads a filter; [`ocis_core::ErrorKind::InvalidArgument`] for what is none.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
        let filter = parser.any_of()?;
        match parser.peek() {
            None => Ok(filter),
            Some(_) => Err(wrong("there is more after its end")),
        }
    }

    /// The right side, when this is `<field> eq <right>`.
    pub(crate) fn equals(&self, field: &str) -> Option<&str> {
        match self {
            Self::Compare { left, operator, right } if operator == "eq" && left.is_field(field) => {
                Some(right.value())
            }
            _ => None,
        }
    }

    /// The text, when this is `<function>(<field>, '<text>')`.
    pub(crate) fn applies(&self, name: &str, field: &str) -> Option<&str> {
        match self {
            Self::Call { function, arguments } if function == name => match &**arguments {
                [left, Operand::Text(text)] if left.is_field(field) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// The right side, when this is `<name>/any(v:v/<field> eq <right>)`.
    pub(crate) fn has_any(&self, name: &str, field: &str) -> Option<&str> {
        match self {
            Self::Lambda { relation, operator, variable, body }
                if relation == name && operator == "any" =>
            {
                body.equals(&format!("{variable}/{field}"))
            }
            _ => None,
        }
    }
}

/// 501, as oCIS answers to a filter that it does not act on.
pub(crate) fn unsupported() -> Failure {
    Failure::Refused(StatusCode::NOT_IMPLEMENTED, "generalException", "unsupported filter".into())
}

fn wrong(why: &str) -> Error {
    Error::invalid(format!("the filter cannot be read: {why}"))
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

fn tokens(text: &str) -> Result<Vec<Token>> {
    let is_word = |c: char| c.is_alphanumeric() || "_-./@$*".contains(c);
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(first) = rest.next() {
        match first {
            c if c.is_whitespace() => {}
            '(' | ')' | ',' | ':' => tokens.push(Token::Sign(first)),
            '\'' => {
                let mut text = String::new();
                loop {
                    match rest.next() {
                        // A quote in a text is written twice.
                        Some('\'') if rest.next_if_eq(&'\'').is_some() => text.push('\''),
                        Some('\'') => break,
                        Some(c) => text.push(c),
                        None => return Err(wrong("a text has no end")),
                    }
                }
                tokens.push(Token::Text(text));
            }
            c if is_word(c) => {
                let mut word = String::from(c);
                while let Some(c) = rest.next_if(|c| is_word(*c)) {
                    word.push(c);
                }
                tokens.push(Token::Word(word));
            }
            _ => return Err(wrong("a character has no meaning there")),
        }
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    fn takes(&mut self, token: &Token) -> bool {
        let is_next = self.peek() == Some(token);
        self.at += usize::from(is_next);
        is_next
    }

    fn sign(&mut self, sign: char) -> Result<()> {
        match self.takes(&Token::Sign(sign)) {
            true => Ok(()),
            false => Err(wrong(&format!("a {sign} is missing"))),
        }
    }

    fn any_of(&mut self) -> Result<Filter> {
        self.chain("or", Self::all_of, Filter::Or)
    }

    fn all_of(&mut self) -> Result<Filter> {
        self.chain("and", Self::one, Filter::And)
    }

    fn chain(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Result<Filter>,
        whole: fn(Vec<Filter>) -> Filter,
    ) -> Result<Filter> {
        let first = part(self)?;
        let mut rest = Vec::new();
        while self.takes(&Token::Word(word.into())) {
            rest.push(part(self)?);
        }
        if rest.is_empty() {
            return Ok(first);
        }
        rest.insert(0, first);
        Ok(whole(rest))
    }

    fn deeper<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(wrong("it nests too deep"));
        }
        let result = part(self);
        self.depth -= 1;
        result
    }

    fn one(&mut self) -> Result<Filter> {
        if self.takes(&Token::Sign('(')) {
            let inner = self.deeper(Self::any_of)?;
            self.sign(')')?;
            return Ok(inner);
        }
        if self.takes(&Token::Word("not".into())) {
            return self.deeper(Self::one).map(|inner| Filter::Not(Box::new(inner)));
        }
        let left = self.operand()?;
        if let Operand::Word(word) = &left
            && self.takes(&Token::Sign('('))
        {
            return match word.rsplit_once('/') {
                Some((relation, operator)) => self.lambda(relation, operator),
                None => self.call(word),
            };
        }
        match self.next() {
            Some(Token::Word(operator)) => {
                Ok(Filter::Compare { left, operator, right: self.operand()? })
            }
            _ => Err(wrong("a comparison is missing")),
        }
    }

    fn operand(&mut self) -> Result<Operand> {
        match self.next() {
            Some(Token::Word(word)) => Ok(Operand::Word(word)),
            Some(Token::Text(text)) => Ok(Operand::Text(text)),
            _ => Err(wrong("a field or value is missing")),
        }
    }

    fn call(&mut self, function: &str) -> Result<Filter> {
        let mut arguments = vec![self.operand()?];
        while self.takes(&Token::Sign(',')) {
            arguments.push(self.operand()?);
        }
        self.sign(')')?;
        Ok(Filter::Call { function: function.into(), arguments })
    }

    fn lambda(&mut self, relation: &str, operator: &str) -> Result<Filter> {
        let Operand::Word(variable) = self.operand()? else {
            return Err(wrong("the name of a variable is missing"));
        };
        self.sign(':')?;
        let body = Box::new(self.deeper(Self::any_of)?);
        self.sign(')')?;
        Ok(Filter::Lambda { relation: relation.into(), operator: operator.into(), variable, body })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Filter {
        Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn comparisons() {
        for text in ["driveType eq 'personal'", " driveType eq  'personal' "] {
            assert_eq!(parse(text).equals("driveType"), Some("personal"), "{text}");
        }
        assert_eq!(parse("name eq 'O''Neil''s'").equals("name"), Some("O'Neil's"));
        assert_eq!(parse("id eq 4c510ada-c86b").equals("id"), Some("4c510ada-c86b"));
        assert_eq!(parse("(((a eq 'b')))").equals("a"), Some("b"));
        assert_eq!(parse("a ne 'b'").equals("a"), None);
        assert_eq!(parse("'a' eq 'b'").equals("a"), None);
    }

    #[test]
    fn functions_and_relations() {
        let starts = parse("startswith(displayName,'mar')");
        assert_eq!(starts.applies("startswith", "displayName"), Some("mar"));
        assert_eq!(starts.applies("contains", "displayName"), None);
        assert_eq!(parse("startswith(mail,'x')").applies("startswith", "displayName"), None);
        let member = parse("memberOf/any(m:m/id eq 509a9dcd-bb37)");
        assert_eq!(member.has_any("memberOf", "id"), Some("509a9dcd-bb37"));
        assert_eq!(member.has_any("memberOf", "name"), None);
        assert_eq!(parse("memberOf/any(m:n/id eq 'x')").has_any("memberOf", "id"), None);
        assert_eq!(parse("memberOf/all(m:m/id eq 'x')").has_any("memberOf", "id"), None);
    }

    #[test]
    fn and_binds_closer_than_or() {
        let of = |field: &str| parse(&format!("{field} eq 'x'"));
        assert_eq!(
            parse("a eq 'x' or b eq 'x' and c eq 'x'"),
            Filter::Or(vec![of("a"), Filter::And(vec![of("b"), of("c")])])
        );
        assert_eq!(
            parse("(a eq 'x' or b eq 'x') and not c eq 'x'"),
            Filter::And(vec![Filter::Or(vec![of("a"), of("b")]), Filter::Not(Box::new(of("c"))),])
        );
    }

    #[test]
    fn what_is_no_filter() {
        for text in [
            "",
            "driveType",
            "driveType eq",
            "driveType eq 'personal",
            "driveType eq '",
            "a eq 'b''",
            "a eq 'b' and",
            "(a eq 'b'",
            "a eq 'b')",
            "startswith(",
            "startswith(a,'b'",
            "startswith()",
            "memberOf/any(m/id eq 'x')",
            "memberOf/any('m':m/id eq 'x')",
            "a = 'b'",
        ] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_tree_is_too_deep() {
        let many = "(".repeat(100_000);
        assert!(Filter::parse(&many).is_err());
        assert!(Filter::parse(&"not ".repeat(100_000)).is_err());
        assert!(Filter::parse(&"a/any(b:".repeat(100_000)).is_err());
        let chain = vec!["a eq 'b'"; 10_000].join(" or ");
        assert!(matches!(parse(&chain), Filter::Or(parts) if parts.len() == 10_000));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in ".*") {
            let _ = Filter::parse(&text);
        }

        #[test]
        fn nothing_like_a_filter_breaks_it(text in "[ ()',:/a'noteqrd]*") {
            let _ = Filter::parse(&text);
        }

        #[test]
        fn a_quoted_value_is_read_back(value in ".*") {
            let text = format!("id eq '{}'", value.replace('\'', "''"));
            let filter = Filter::parse(&text).unwrap();
            prop_assert_eq!(filter.equals("id"), Some(&*value));
        }
    }
}
