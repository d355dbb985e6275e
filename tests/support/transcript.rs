//! Commands and what they show, in `console` blocks of a page.

/// One command and what the page shows below it.
pub struct Step {
    pub words: Vec<String>,
    pub expected: String,
    pub code: i32,
}

/// The commands of all `console` blocks. `? N` alone on a line says that the command ends with N, not 0.
pub fn steps(page: &str) -> Vec<Step> {
    let blocks = page.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut steps: Vec<Step> = Vec::new();
    for line in blocks.flat_map(str::lines) {
        if let Some(command) = line.strip_prefix("$ capstan ") {
            let words = command.split_whitespace().map(str::to_owned).collect();
            steps.push(Step { words, expected: String::new(), code: 0 });
        } else if let Some(code) = line.strip_prefix("? ") {
            steps.last_mut().unwrap().code = code.parse().unwrap();
        } else {
            let step = steps.last_mut().expect("a block begins with a command");
            step.expected.push_str(line);
            step.expected.push('\n');
        }
    }
    steps
}

/// Lines without what is blank at their ends.
pub fn lines(text: &str) -> Vec<&str> {
    text.trim_end().lines().map(str::trim_end).collect()
}

/// Whether `shown` is `expected`, in which a line `...` stands for any number of lines.
pub fn agrees(expected: &[&str], shown: &[&str]) -> bool {
    match (expected.split_first(), shown.split_first()) {
        (None, None) => true,
        (Some((&"...", rest)), _) => (0..=shown.len()).any(|skipped| agrees(rest, &shown[skipped..])),
        (Some((first, expected)), Some((line, shown))) => first == line && agrees(expected, shown),
        _ => false,
    }
}

/// Lines without what differs each time, numbers with what belongs to them: `15.6 KiB` and `7 B` are both `0 B`.
pub fn without_numbers(text: &str) -> Vec<String> {
    let is_id = |word: &str| word.len() >= 16 && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let words = |line: &str| {
        let words = line.split_whitespace().map(|word| {
            let bare = word.trim_start_matches('(').trim_end_matches([',', ':', ';', ')']).trim_end_matches("/s");
            match bare {
                "B" | "KiB" | "MiB" | "GiB" => "B",
                _ if is_id(bare) => "(id)",
                _ if bare.starts_with(|c: char| c.is_ascii_digit()) => "0",
                _ => word,
            }
        });
        words.collect::<Vec<_>>().join(" ")
    };
    text.trim_end().lines().map(words).collect()
}

/// Fails if a command shows something else than the page says, but for numbers.
pub fn assert_alike(words: &[&str], expected: &str, shown: &str) {
    let (expected, came) = (without_numbers(expected), without_numbers(shown));
    let (expected, came) = (expected.iter().map(String::as_str), came.iter().map(String::as_str));
    let (expected, came): (Vec<&str>, Vec<&str>) = (expected.collect(), came.collect());
    let (page, came_text) = (expected.join("\n"), came.join("\n"));
    assert!(agrees(&expected, &came), "{words:?} shows\n{shown}\nwhich is\n{came_text}\nthe page\n{page}");
}
