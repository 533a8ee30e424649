mod exchanges;
mod known_answers;
