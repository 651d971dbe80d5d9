//! Medians of ratios, and whether they meet their goals.

use super::client::Measure;

/// What of two measures is compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Quantity {
    /// Calls a second: more is better.
    Rate,
    /// Processor time of the server for one call: less is better.
    Cpu,
    /// The 99th percentile of call times: less is better.
    P99,
    /// The median of call times: less is better.
    P50,
}

impl Quantity {
    fn of(self, measure: &Measure) -> f64 {
        match self {
            Quantity::Rate => measure.rate,
            Quantity::Cpu => measure.cpu,
            Quantity::P99 => measure.p99,
            Quantity::P50 => measure.p50,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Quantity::Rate => "rate",
            Quantity::Cpu => "CPU",
            Quantity::P99 => "p99",
            Quantity::P50 => "p50",
        }
    }
}

/// A ratio that is reported, by the places of its two sides in their group.
pub struct Ratio {
    pub quantity: Quantity,
    pub of: usize,
    pub against: usize,
    /// The number of the goal, what must be met and what is aimed at.
    pub goal: Option<(u8, f64, f64)>,
}

impl Ratio {
    /// A ratio without a goal.
    pub const fn new(quantity: Quantity, of: usize, against: usize) -> Self {
        Ratio {
            quantity,
            of,
            against,
            goal: None,
        }
    }

    /// The same ratio with its goal.
    pub const fn goal(mut self, number: u8, must: f64, aim: f64) -> Self {
        self.goal = Some((number, must, aim));
        self
    }
}

/// A line of the table of ratios.
pub struct Line {
    what: String,
    median: f64,
    quartiles: (f64, f64),
    goal: Option<(u8, f64, f64)>,
    less_is_better: bool,
}

impl Line {
    /// The ratios of every round in one line.
    pub fn of(group: &str, names: &[&str], rounds: &[Vec<Measure>], ratio: &Ratio) -> Self {
        let mut ratios: Vec<f64> = rounds
            .iter()
            .map(|round| {
                let quantity = |side: usize| ratio.quantity.of(&round[side]);
                quantity(ratio.of) / quantity(ratio.against)
            })
            .collect();
        let what = format!(
            "{group}: {}, {} / {}",
            ratio.quantity.name(),
            names[ratio.of],
            names[ratio.against]
        );
        Line {
            what,
            median: quantile(&mut ratios, 0.5),
            quartiles: (quantile(&mut ratios, 0.25), quantile(&mut ratios, 0.75)),
            goal: ratio.goal,
            less_is_better: ratio.quantity != Quantity::Rate,
        }
    }

    /// A line of one figure that is no ratio and must not be exceeded.
    pub fn figure(what: impl Into<String>, figure: f64, goal: Option<(u8, f64, f64)>) -> Self {
        Line {
            what: what.into(),
            median: figure,
            quartiles: (figure, figure),
            goal,
            less_is_better: true,
        }
    }

    fn verdict(&self) -> &'static str {
        let Some((_, must, aim)) = self.goal else {
            return "";
        };
        let meets = |bound: f64| {
            if self.less_is_better {
                self.median <= bound
            } else {
                self.median >= bound
            }
        };
        if meets(aim) {
            "PASS, aim met"
        } else if meets(must) {
            "PASS"
        } else {
            "MISS"
        }
    }

    /// Whether a goal was missed.
    pub fn missed(&self) -> bool {
        self.verdict() == "MISS"
    }
}

/// The value below which that part of the values lies.
pub fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let at = (values.len().saturating_sub(1)) as f64 * part;
    values.get(at.round() as usize).copied().unwrap_or(f64::NAN)
}

/// Prints what every side of a group did, medians over the rounds.
pub fn print_sides(group: &str, names: &[&str], rounds: &[Vec<Measure>]) {
    println!("\n{group}");
    println!(
        "  {:<34} {:>9} {:>9} {:>9} {:>12}",
        "", "calls/s", "p50 us", "p99 us", "CPU us/call"
    );
    for (side, name) in names.iter().enumerate() {
        let median = |quantity: Quantity| {
            let mut values: Vec<f64> = rounds.iter().map(|r| quantity.of(&r[side])).collect();
            quantile(&mut values, 0.5)
        };
        println!(
            "  {name:<34} {:>9.0} {:>9.0} {:>9.0} {:>12.1}",
            median(Quantity::Rate),
            median(Quantity::P50),
            median(Quantity::P99),
            median(Quantity::Cpu)
        );
    }
}

/// Prints the table of ratios.
pub fn print_lines(lines: &[Line]) {
    println!(
        "\n{:<62} {:>7} {:>15} {:>5} {:>6} {:>6}",
        "", "median", "quartiles", "goal", "must", "aim"
    );
    for line in lines {
        let goal = line.goal.map_or_else(String::new, |(number, must, aim)| {
            format!("{number:>5} {must:>6} {aim:>6}")
        });
        println!(
            "{:<62} {:>7.2} {:>7.2} {:>7.2} {goal:<19}  {}",
            line.what,
            line.median,
            line.quartiles.0,
            line.quartiles.1,
            line.verdict()
        );
    }
}
