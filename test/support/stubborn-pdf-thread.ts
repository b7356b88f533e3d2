// Plays a PDF that takes for ever.
for (;;);
