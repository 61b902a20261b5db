struct Counter;


fn main() {
    let _ = sinew::reflex!(Counter::increment);
}
