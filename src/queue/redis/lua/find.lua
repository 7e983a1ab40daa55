-- Finds a `job`.
-- Answers what is known about it, or nothing.

return lib.view(args.job)
