//! The demo users of oCIS (`reference/seed-gaps.md`, section 8).

/// Name, password, display name, id.
pub const DEMO_USERS: [(&str, &str, &str, &str); 5] = [
    ("einstein", "relativity", "Albert Einstein", "4c510ada-c86b-4815-8820-42cdf82c3d51"),
    (
        "marie",
        "radioactivity",
        "Marie Sk\u{142}odowska Curie",
        "f7fbf8c8-139b-4376-b307-cf0a8c2d0d9c",
    ),
    ("moss", "vista", "Maurice Moss", "058bff95-6708-4fe5-91e4-9ea3d377588b"),
    (
        "richard",
        "superfluidity",
        "Richard Phillips Feynman",
        "932b4540-8d16-481e-8ef4-588e4b6b151c",
    ),
    ("katherine", "gemini", "Katherine Johnson", "534bb038-6f9d-4093-946f-133be61fa4e7"),
];
