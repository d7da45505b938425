/** What Graph does where sources disagree; the defaults are the better documented ones. */
export interface GraphRules {
  /**
   * A create with the transactionId and the body of an earlier one: the event that is there, with 201 (seen by
   * https://blog.rykoma.net/2020/10/05/1559/), or a refusal as for another body (alcionai/corso#2490 met that one).
   * Default: same.
   */
  readonly repeatedTransaction?: 'same' | 'refused';
  /**
   * Exceptions when only the range of a series changes. Exchange's store keeps those whose pattern and times of day stay;
   * Outlook for Windows loses them ("If you end the meeting series early, exceptions ... are lost"). Any other change of
   * the pattern or the times takes them all: [MS-OXOCAL] 3.1.4.7.3.5,
   * https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxocal/4b92fb85-db55-4251-8e81-e319361218e1
   * Default: kept.
   */
  readonly exceptionsOnRangeChange?: 'kept' | 'lost';
  /**
   * A declined event is taken out of the calendar (microsoft-graph-docs-contrib#7924), unless the person has set Outlook
   * to keep declined events. Default: removed.
   */
  readonly declined?: 'removed' | 'kept';
}
