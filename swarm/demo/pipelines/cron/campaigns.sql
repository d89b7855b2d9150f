/* The plan of the year as campaigns.
   SELECT * FROM finance.margin decides next year's. */
CREATE TEMP TABLE work_rows AS SELECT 1 AS id, 'spring' AS name UNION ALL SELECT 2, 'autumn';
DELETE FROM marketing.campaigns;
WITH web_events AS (SELECT 'mail' AS channel)
INSERT INTO marketing.campaigns
SELECT work_rows.id, work_rows.name, web_events.channel FROM work_rows, web_events;
DROP TABLE work_rows;
