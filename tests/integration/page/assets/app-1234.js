// Stands in for the script of the built page. The .br and .gz beside it hold the same bytes, as a
// build writes them; this text is long enough for both to be smaller than the plain file.
document.title = 'page';
