-- Finds a job.
-- Arguments: the job.
-- Answers what is known about it, or nothing.

return view((args(1))) or false
